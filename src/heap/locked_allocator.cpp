// SPDX-License-Identifier: MIT
#include "carbide/locked_allocator.hpp"

namespace carbide {

LockedAllocator::LockedAllocator(const Options& options) noexcept
    : HeapOperations(options.name, Sharing::shared),
      backing_(options.backing),
      owner_(options.name) {}

void* LockedAllocator::slow_alloc(Heap& heap, std::size_t size_bytes,
                                  std::align_val_t alignment) noexcept {
    LockedAllocator& locked = self(heap);
    const Held held(locked);
    return locked.backing_.raw_alloc(size_bytes, alignment);
}

bool LockedAllocator::slow_resize(Heap& heap, void* memory, std::size_t old_bytes,
                                  std::size_t new_bytes, std::align_val_t alignment) noexcept {
    LockedAllocator& locked = self(heap);
    const Held held(locked);
    return locked.backing_.raw_resize(memory, old_bytes, new_bytes, alignment);
}

void* LockedAllocator::slow_remap(Heap& heap, void* memory, std::size_t old_bytes,
                                  std::size_t new_bytes, std::align_val_t alignment) noexcept {
    LockedAllocator& locked = self(heap);
    const Held held(locked);
    return locked.backing_.raw_remap(memory, old_bytes, new_bytes, alignment);
}

void LockedAllocator::slow_free(Heap& heap, void* memory, std::size_t size_bytes,
                                std::align_val_t alignment) noexcept {
    LockedAllocator& locked = self(heap);
    const Held held(locked);
    locked.backing_.raw_free(memory, size_bytes, alignment);
}

}  // namespace carbide
