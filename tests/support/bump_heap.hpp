// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>

#include "carbide/bump_window.hpp"
#include "carbide/heap_operations.hpp"

namespace carbide::tests {

/// The least heap that has a window: the bytes of a buffer of its own, and nothing behind them.
/// Counts the calls that the inlined path could not serve.
template <std::size_t Capacity>
class BumpHeap : public HeapOperations<BumpHeap<Capacity>> {
    static_assert(Capacity % window_granule_bytes == 0, "BumpWindow wants whole granules");

public:
    explicit BumpHeap(const char* name = "bump") noexcept
        : HeapOperations<BumpHeap>(name), window_(*this) {
        window_.open(begin(), begin() + Capacity);
    }

    // A later owner of the stack must not inherit the marks.
    ~BumpHeap() { mark_undefined(buffer_, Capacity); }

    [[nodiscard]] std::byte* buffer() noexcept { return buffer_; }
    [[nodiscard]] BumpWindow& window() noexcept { return window_; }
    [[nodiscard]] std::size_t used_bytes() const noexcept { return window_.cursor() - begin(); }
    [[nodiscard]] std::size_t free_bytes() const noexcept { return Capacity - used_bytes(); }

    std::size_t slow_call_count = 0;

private:
    friend HeapOperations<BumpHeap>;

    static BumpHeap& called(Heap& heap) noexcept {
        BumpHeap& self = HeapOperations<BumpHeap>::self(heap);
        ++self.slow_call_count;
        return self;
    }
    static void* slow_alloc(Heap& heap, std::size_t size_bytes,
                            std::align_val_t alignment) noexcept {
        return called(heap).window_.alloc(size_bytes, alignment);
    }
    static bool slow_resize(Heap& heap, void* memory, std::size_t old_bytes, std::size_t new_bytes,
                            std::align_val_t) noexcept {
        return called(heap).window_.resize(memory, old_bytes, new_bytes);
    }
    static void* slow_remap(Heap& heap, void* memory, std::size_t old_bytes, std::size_t new_bytes,
                            std::align_val_t alignment) noexcept {
        return BumpHeap::remap_in_place(heap, memory, old_bytes, new_bytes, alignment);
    }
    static void slow_free(Heap& heap, void* memory, std::size_t size_bytes,
                          std::align_val_t) noexcept {
        called(heap).window_.free(memory, size_bytes);
    }

    [[nodiscard]] std::uintptr_t begin() const noexcept {
        return reinterpret_cast<std::uintptr_t>(buffer_);
    }

    BumpWindow window_;
    alignas(4096) std::byte buffer_[Capacity];
};

}  // namespace carbide::tests
