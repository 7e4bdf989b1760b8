// SPDX-License-Identifier: MIT
#include "carbide/pool_allocator.hpp"

#include "carbide/memory_marks.hpp"

namespace carbide {

void PoolBase::reset(Retain retain) noexcept {
    if (retain == Retain::nothing) {
        pool_.free_chunks();
    } else {
        pool_.forget_slots();
    }
    detach_from_thread();  // Whoever uses it next owns it.
}

void* PoolBase::slow_alloc(Heap& heap, std::size_t size_bytes,
                           std::align_val_t alignment) noexcept {
    SlotPool& pool = self(heap).pool_;
    if (size_bytes > pool.slot_bytes() || alignment > pool.alignment()) return nullptr;
    void* const memory = pool.take();
    if (memory != nullptr) {
        mark_no_access(static_cast<std::byte*>(memory) + size_bytes,
                       pool.slot_bytes() - size_bytes);
    }
    return memory;
}

// A slot has one size, and any that fits is as good as it.
bool PoolBase::slow_resize(Heap& heap, void* memory, std::size_t old_bytes, std::size_t new_bytes,
                           std::align_val_t) noexcept {
    if (new_bytes > self(heap).pool_.slot_bytes()) return false;
    auto* const bytes = static_cast<std::byte*>(memory);
    if (new_bytes < old_bytes) {
        mark_no_access(bytes + new_bytes, old_bytes - new_bytes);
    } else {
        mark_undefined(bytes + old_bytes, new_bytes - old_bytes);
    }
    return true;
}

void* PoolBase::slow_remap(Heap& heap, void* memory, std::size_t old_bytes, std::size_t new_bytes,
                           std::align_val_t alignment) noexcept {
    return remap_in_place(heap, memory, old_bytes, new_bytes, alignment);
}

void PoolBase::slow_free(Heap& heap, void* memory, std::size_t, std::align_val_t) noexcept {
    self(heap).pool_.give(memory);
}

bool PoolBase::slow_owns(Heap& heap, const void* memory) noexcept {
    return self(heap).pool_.holds(memory);
}

}  // namespace carbide
