// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>

#include "carbide/heap_operations.hpp"

namespace carbide {

/// A budget of bytes.
///
/// Use it to bound what a part of a program may take: a request within a server, a plugin, a
/// parser of foreign input. Budgets nest: one is the backing of the other, and each counts all
/// that passes through it. Avoid it where the process as a whole must be bounded: it counts what
/// was asked for, and nothing of what the backing adds to it.
///
/// A `realloc` that cannot be done in place needs room for the old and the new allocation
/// together, because for a moment both exist.
///
/// Memory         None of its own.
/// Ownership      Borrows `backing` and the callback's context.
/// Out of memory  When the request and `used_bytes()` together exceed the limit, and when the
///                backing fails; that one charges nothing.
/// Threads        As many as the backing allows. They never exceed the limit together.
/// Cost           One call and one compare-and-swap more.
/// Source         Zig 0.15 `DebugAllocator` with `enable_memory_limit`, whose charge stays where
///                the backing fails.
class LimitAllocator : public HeapOperations<LimitAllocator> {
public:
    /// What an exhausted budget does next.
    enum class Decision : unsigned char {
        retry,  // There may be room now. Asked again where there is not.
        fail,
    };

    /// Called when `needed_bytes` do not fit: the request, or the difference of a resize. It may
    /// free memory through this allocator, or raise the limit. One that did neither must say
    /// `fail`. It runs on the thread of the request, inside whatever lock the request came
    /// through.
    using OnExhausted = Decision (*)(void* context, LimitAllocator& limit,
                                     std::size_t needed_bytes) noexcept;

    struct Options {
        Allocator backing;

        /// Sum of the sizes of all allocations that may exist at a time.
        std::size_t limit_bytes = SIZE_MAX;

        /// Null: fail at once.
        OnExhausted on_exhausted = nullptr;
        void* on_exhausted_context = nullptr;

        const char* name = "limit";
    };

    explicit LimitAllocator(const Options& options) noexcept;

    /// May be less than what is in use: then nothing is granted until enough is freed.
    void set_limit_bytes(std::size_t limit_bytes) noexcept {
        limit_bytes_.store(limit_bytes, std::memory_order_relaxed);
    }

    [[nodiscard]] std::size_t limit_bytes() const noexcept { return load(limit_bytes_); }

    /// Sum of the sizes of the allocations that exist. While other threads are inside a request,
    /// what they have asked for counts.
    [[nodiscard]] std::size_t used_bytes() const noexcept { return load(used_bytes_); }

    /// 0 where the limit was set to less than what is in use.
    [[nodiscard]] std::size_t remaining_bytes() const noexcept;

    /// The most that was in use.
    [[nodiscard]] std::size_t peak_bytes() const noexcept { return load(peak_bytes_); }

    /// Requests, growing resizes among them, that failed because they did not fit.
    [[nodiscard]] std::size_t exhausted_count() const noexcept { return load(exhausted_count_); }

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

    template <class Change>
    [[nodiscard]] auto charged(std::size_t old_bytes, std::size_t new_bytes, Change change) noexcept
        -> decltype(change());
    [[nodiscard]] std::size_t reserve(std::size_t needed_bytes) noexcept;
    [[nodiscard]] std::size_t try_reserve(std::size_t needed_bytes) noexcept;
    void release(std::size_t freed_bytes) noexcept;
    void raise_peak(std::size_t used_bytes) noexcept;

    static std::size_t load(const Counter& counter) noexcept {
        return counter.load(std::memory_order_relaxed);
    }

    Allocator backing_;
    OnExhausted on_exhausted_;
    void* on_exhausted_context_;
    Counter limit_bytes_;
    Counter used_bytes_ = 0;
    Counter peak_bytes_ = 0;
    Counter exhausted_count_ = 0;
};

}  // namespace carbide
