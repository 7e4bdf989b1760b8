// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>

#include "carbide/heap_operations.hpp"
#include "carbide/stack_trace.hpp"

namespace carbide {

/// Fails the n-th request on purpose, and passes the others on.
///
/// Use it to test that out of memory is survived: count the requests of one run, then fail each in
/// turn. Avoid it as a limit: it counts requests, not bytes; `LimitAllocator` does the other.
///
/// What counts as a request is what reaches an allocator: not those for 0 bytes, and not resizes
/// to 0 bytes, which are frees, or to the same size. `realloc` is a remap, and where that fails
/// an alloc. So `resize_index` alone makes it copy; for it to fail, the alloc must fail as well.
///
/// Memory         None of its own.
/// Ownership      Borrows `backing`.
/// Out of memory  As planned, and when the backing is.
/// Threads        As many as the backing allows.
/// Cost           One call more, two or three atomic additions; an induced failure takes a stack.
/// Source         Zig 0.15 `std.testing.FailingAllocator`, which never recovers from the planned
///                failure, and so misses what goes wrong after it.
class FailingAllocator : public HeapOperations<FailingAllocator> {
public:
    /// What follows a planned failure.
    enum class Repeat : unsigned char {
        once,               // Later requests succeed, as where another thread has freed memory.
        from_there_on,      // Later requests of that kind fail.
        all_from_there_on,  // Later requests of every kind fail, as in a system that has no more.
    };

    static constexpr std::size_t never = SIZE_MAX;

    struct Options {
        Allocator backing;

        /// Which alloc fails, counted from 0.
        std::size_t alloc_index = never;

        /// Which resize or remap fails, counted from 0, growing and shrinking ones together.
        std::size_t resize_index = never;

        Repeat repeat = Repeat::once;

        /// Frames of the stacks below, at most `StackTrace::frame_count_max`. 0: no stacks.
        unsigned stack_frame_count = 16;

        const char* name = "failing";
    };

    /// The part of the options that can change later.
    struct Plan {
        std::size_t alloc_index = never;
        std::size_t resize_index = never;
        Repeat repeat = Repeat::once;
    };

    explicit FailingAllocator(const Options& options) noexcept;

    /// Begins anew: all counters are 0, and the next requests have index 0. By default none fails.
    /// No other thread may use the allocator meanwhile. Frees of older allocations are counted.
    void rearm(const Plan& plan) noexcept;
    void rearm() noexcept { rearm(Plan{}); }

    /// Requests so far, whether they succeeded or not: the index of the next one.
    [[nodiscard]] std::size_t alloc_count() const noexcept { return load(alloc_count_); }
    [[nodiscard]] std::size_t resize_count() const noexcept { return load(resize_count_); }
    [[nodiscard]] std::size_t free_count() const noexcept { return load(free_count_); }

    /// Bytes lent and given back so far; a resize counts by the difference. Where everything is
    /// freed, the two are equal.
    [[nodiscard]] std::size_t allocated_bytes() const noexcept { return load(allocated_bytes_); }
    [[nodiscard]] std::size_t freed_bytes() const noexcept { return load(freed_bytes_); }

    /// Failures of our making; those of the backing are not among them.
    [[nodiscard]] std::size_t induced_failure_count() const noexcept {
        return load(induced_failure_count_);
    }
    [[nodiscard]] bool has_induced_failure() const noexcept { return induced_failure_count() != 0; }

    /// Induced failures of allocs outside of any `RecoveryScope`: whoever made that request must
    /// report that memory was out. (Resizes may fail at any time, and need not be reported.)
    [[nodiscard]] std::size_t reportable_failure_count() const noexcept {
        return load(reportable_failure_count_);
    }

    /// Who made the request that failed: the last of them, and the first, which the plan named.
    [[nodiscard]] StackTrace induced_failure_trace() const noexcept {
        return StackTrace::from_id(last_trace_id_.load(std::memory_order_relaxed));
    }
    [[nodiscard]] StackTrace first_induced_failure_trace() const noexcept {
        return StackTrace::from_id(first_trace_id_.load(std::memory_order_relaxed));
    }

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

    [[nodiscard, gnu::always_inline]] bool fails(Counter& request_count,
                                                 std::size_t planned_index) noexcept;
    [[nodiscard]] bool is_planned(std::size_t index, std::size_t planned_index) const noexcept;
    void note_failure(StackTrace trace) noexcept;
    void count_resized(std::size_t old_bytes, std::size_t new_bytes) noexcept;

    static std::size_t load(const Counter& counter) noexcept {
        return counter.load(std::memory_order_relaxed);
    }

    Allocator backing_;
    Plan plan_;
    unsigned stack_frame_count_;
    Counter alloc_count_ = 0;
    Counter resize_count_ = 0;
    Counter free_count_ = 0;
    Counter allocated_bytes_ = 0;
    Counter freed_bytes_ = 0;
    Counter induced_failure_count_ = 0;
    Counter reportable_failure_count_ = 0;
    std::atomic<std::uint32_t> first_trace_id_ = 0;
    std::atomic<std::uint32_t> last_trace_id_ = 0;
};

}  // namespace carbide
