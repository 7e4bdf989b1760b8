// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <limits>
#include <new>

#include "carbide/heap_operations.hpp"

namespace carbide {

/// What passed through a `StatisticsAllocator` until now. Sizes are those asked for.
struct Statistics {
    /// One for each bit width of a size, and one for size 0, which stays empty.
    static constexpr std::size_t bucket_count = std::numeric_limits<std::size_t>::digits + 1;

    /// The bucket of a size: bucket b counts sizes from 2^(b-1) up to, but not including, 2^b.
    [[nodiscard]] static constexpr std::size_t bucket_of(std::size_t size_bytes) noexcept {
        return static_cast<std::size_t>(std::bit_width(size_bytes));
    }

    std::size_t current_bytes = 0;  // In the allocations that exist.
    std::size_t peak_bytes = 0;     // The most that `current_bytes` has been.
    std::size_t total_bytes = 0;    // Ever lent: all allocations, and what resizes added to them.

    std::size_t alloc_count = 0;   // Those that succeeded.
    std::size_t resize_count = 0;  // Resizes and remaps that succeeded.
    std::size_t free_count = 0;

    std::size_t failed_alloc_count = 0;
    std::size_t failed_resize_count = 0;  // Often harmless: `realloc` goes on to copy.

    /// Successful allocs by size. Resizes are not in it.
    std::array<std::size_t, bucket_count> histogram{};

    /// Allocations that exist.
    [[nodiscard]] constexpr std::size_t live_count() const noexcept {
        return alloc_count - free_count;
    }
};

/// Counts calls and bytes: current, peak, total, by size.
///
/// Use it to learn what a part of a program needs, and in tests that hold a number of allocations.
/// Avoid it where every single call is of interest: `LoggingAllocator`.
///
/// Memory         None of its own.
/// Ownership      Borrows `backing`.
/// Out of memory  When the backing is.
/// Threads        As many as the backing allows. They share the counters.
/// Cost           One call more; up to five atomic operations.
/// Source         None: Zig 0.15 has nothing like it.
class StatisticsAllocator : public HeapOperations<StatisticsAllocator> {
public:
    struct Options {
        Allocator backing;

        const char* name = "statistics";
    };

    explicit StatisticsAllocator(const Options& options) noexcept;

    /// The numbers as they are now; exact while no other thread is inside a call. Otherwise they
    /// are read one after the other, and each may lack what such calls add or take. What holds in
    /// every snapshot: `current_bytes <= peak_bytes`, `current_bytes <= total_bytes`,
    /// `free_count <= alloc_count`.
    [[nodiscard]] Statistics statistics() const noexcept;

    /// Allocations that exist.
    [[nodiscard]] std::size_t live_count() const noexcept {
        return live_count_.load(std::memory_order_relaxed);
    }

    /// The peak from now on: for one phase of a program. No other thread may use the allocator
    /// meanwhile.
    void reset_peak() noexcept;

private:
    friend HeapOperations;

    static constexpr bool verifies_frees = true;  // As the backing may.
    using Counter = std::atomic<std::size_t>;

    static void* slow_alloc(Heap& heap, std::size_t size_bytes,
                            std::align_val_t alignment) noexcept;
    static bool slow_resize(Heap& heap, void* memory, std::size_t old_bytes, std::size_t new_bytes,
                            std::align_val_t alignment) noexcept;
    static void* slow_remap(Heap& heap, void* memory, std::size_t old_bytes, std::size_t new_bytes,
                            std::align_val_t alignment) noexcept;
    static void slow_free(Heap& heap, void* memory, std::size_t size_bytes,
                          std::align_val_t alignment) noexcept;

    void count_alloc(bool success, std::size_t size_bytes) noexcept;
    void count_resize(bool success, std::size_t old_bytes, std::size_t new_bytes) noexcept;
    void lend(std::size_t size_bytes) noexcept;
    void take_back(std::size_t size_bytes) noexcept;

    Allocator backing_;
    Counter current_bytes_ = 0;
    Counter peak_bytes_ = 0;
    Counter total_bytes_ = 0;
    Counter alloc_count_ = 0;
    Counter resize_count_ = 0;
    Counter live_count_ = 0;
    Counter failed_alloc_count_ = 0;
    Counter failed_resize_count_ = 0;
    std::array<Counter, Statistics::bucket_count> histogram_{};
};

}  // namespace carbide
