// SPDX-License-Identifier: MIT
#include "carbide/c_allocator.hpp"

#include <malloc.h>

#include <cstdint>
#include <cstdlib>

#include "heap/immortal.hpp"

namespace carbide {
namespace {

constinit Immortal<CAllocator> instance;

bool malloc_aligns(std::align_val_t alignment) noexcept {
    return static_cast<std::size_t>(alignment) <= alignof(std::max_align_t);
}

}  // namespace

void* CAllocator::slow_alloc(Heap&, std::size_t size_bytes, std::align_val_t alignment) noexcept {
    // As glibc does; a sanitizer's malloc would stop the program instead.
    if (size_bytes > PTRDIFF_MAX) return nullptr;
    if (malloc_aligns(alignment)) return std::malloc(size_bytes);
    void* memory = nullptr;
    const int error = posix_memalign(&memory, static_cast<std::size_t>(alignment), size_bytes);
    return error == 0 ? memory : nullptr;
}

bool CAllocator::slow_resize(Heap&, void* memory, std::size_t old_bytes, std::size_t new_bytes,
                             std::align_val_t) noexcept {
    // malloc rounds up; what it rounded up to is all that can be had without moving.
    return new_bytes <= old_bytes || new_bytes <= malloc_usable_size(memory);
}

void* CAllocator::slow_remap(Heap& heap, void* memory, std::size_t old_bytes, std::size_t new_bytes,
                             std::align_val_t alignment) noexcept {
    if (new_bytes > PTRDIFF_MAX) return nullptr;
    if (malloc_aligns(alignment)) return std::realloc(memory, new_bytes);
    return remap_in_place(heap, memory, old_bytes, new_bytes, alignment);
}

void CAllocator::slow_free(Heap&, void* memory, std::size_t, std::align_val_t) noexcept {
    std::free(memory);
}

Allocator c_allocator() noexcept { return instance.object.allocator(); }

}  // namespace carbide
