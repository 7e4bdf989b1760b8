// SPDX-License-Identifier: MIT
#include "carbide/null_allocator.hpp"

#include "carbide/check.hpp"
#include "heap/immortal.hpp"

namespace carbide {
namespace {

constinit Immortal<NullAllocator> instance;

}  // namespace

void* NullAllocator::slow_alloc(Heap&, std::size_t, std::align_val_t) noexcept { return nullptr; }

bool NullAllocator::slow_resize(Heap&, void*, std::size_t, std::size_t, std::align_val_t) noexcept {
    CARBIDE_CHECK(false, "memory of another allocator was resized through a NullAllocator");
    return false;
}

void* NullAllocator::slow_remap(Heap&, void*, std::size_t, std::size_t, std::align_val_t) noexcept {
    CARBIDE_CHECK(false, "memory of another allocator was remapped through a NullAllocator");
    return nullptr;
}

void NullAllocator::slow_free(Heap&, void*, std::size_t, std::align_val_t) noexcept {
    CARBIDE_CHECK(false, "memory of another allocator was freed through a NullAllocator");
}

Allocator null_allocator() noexcept { return instance.object.allocator(); }

}  // namespace carbide
