// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <new>

#include "carbide/heap_operations.hpp"

namespace carbide {

/// Tells a sink about every call, before and after it is passed on.
///
/// Use it to see what a piece of code asks for, and in which order. Avoid it where sums are
/// enough: `StatisticsAllocator` costs a fraction.
///
/// Not told: requests for 0 bytes, which never reach an allocator. A resize to 0 bytes is a free,
/// and `realloc` is a remap, and where that fails an alloc and a free.
///
/// Memory         None of its own.
/// Ownership      Borrows `backing` and the sink's context.
/// Out of memory  When the backing is.
/// Threads        As many as the backing and the sink allow; the sink is called by all of them.
/// Cost           Two calls of the sink. The one that is built in writes a line per call of the
///                allocator, with one system call.
/// Source         Zig 0.15 `std.heap.LogToWriterAllocator`, which knows no "before".
class LoggingAllocator : public HeapOperations<LoggingAllocator> {
public:
    enum class Operation : unsigned char { alloc, resize, remap, free };
    enum class Moment : unsigned char { before, after };

    struct Event {
        Operation operation;
        Moment moment = Moment::before;

        /// False before the call. A free always succeeds.
        bool success = false;

        /// The allocation that is resized, remapped or freed; null for an alloc. Never to be read
        /// or written: a remap may have moved it, a free has ended it.
        const void* memory = nullptr;

        /// What a successful alloc, resize or remap has led to; otherwise null.
        const void* new_memory = nullptr;

        std::size_t size_bytes = 0;  // Of the allocation; for an alloc those asked for.
        std::size_t new_bytes = 0;   // Those that a resize or remap asks for; otherwise 0.
        std::align_val_t alignment{1};
        const char* name = "";  // Of the LoggingAllocator.
    };

    /// It must not use the allocator whose events it gets.
    using Sink = void (*)(void* context, const Event& event) noexcept;

    /// The sink that is built in: a line on standard error for each call, allocating nothing.
    ///
    /// Frees are written before the call and all else after it, because a freed address may be
    /// lent again by another thread before the call returns. For remaps that move, the order of
    /// lines may mislead that way.
    static void write_to_stderr(void* context, const Event& event) noexcept;

    struct Options {
        Allocator backing;

        Sink sink = &write_to_stderr;
        void* sink_context = nullptr;

        const char* name = "logging";
    };

    explicit LoggingAllocator(const Options& options) noexcept;

private:
    friend HeapOperations;

    static constexpr bool verifies_frees = true;  // As the backing may.

    static void* slow_alloc(Heap& heap, std::size_t size_bytes,
                            std::align_val_t alignment) noexcept;
    static bool slow_resize(Heap& heap, void* memory, std::size_t old_bytes, std::size_t new_bytes,
                            std::align_val_t alignment) noexcept;
    static void* slow_remap(Heap& heap, void* memory, std::size_t old_bytes, std::size_t new_bytes,
                            std::align_val_t alignment) noexcept;
    static void slow_free(Heap& heap, void* memory, std::size_t size_bytes,
                          std::align_val_t alignment) noexcept;

    void tell_before(const Event& event) const noexcept { sink_(sink_context_, event); }
    void tell_after(Event event, bool success, const void* new_memory) const noexcept;

    Allocator backing_;
    Sink sink_;
    void* sink_context_;
};

}  // namespace carbide
