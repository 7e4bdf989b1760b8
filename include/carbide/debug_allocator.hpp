// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <optional>

#include "carbide/finding.hpp"
#include "carbide/heap_operations.hpp"
#include "carbide/page_allocator.hpp"

namespace carbide {

namespace detail {
class DebugState;
}

/// Finds leaks, double and invalid frees, wrong sizes and alignments, overruns, writes after free,
/// and in guard mode every wrong read; reports each with the call stacks that matter, and goes on.
///
/// Use it as the allocator of a whole program while you develop, and in production where a corrupt
/// heap is worse than a few nanoseconds. Avoid it under an arena that hides single allocations
/// from it: put it there in place of the arena while you look for a mistake.
///
/// Memory         Chunks of 64 KiB and more from `backing`, cut into slots of one size; larger
///                allocations have a chunk of their own. Per allocation: a record of 16 bytes, the
///                two pads, and up to an eighth for rounding. Guard mode maps pages directly.
/// Ownership      Owns what it lends until `deinit()` or the destructor, which report what is left
///                and give everything back.
/// Out of memory  When the backing is, or the limit is reached. Where its own bookkeeping finds no
///                memory the request fails, and nothing is left unchecked.
/// Threads        Any number; with `thread_safe` false one, and a second one is a finding.
/// Cost           Constant time; docs/debugging.md has a measured table of every option.
/// Source         Zig 0.15 `std.heap.DebugAllocator`; the list of what it misses is in
///                docs/design.md. Pads: D. Knuth's boundary tags, turned into canaries.
class DebugAllocator : public HeapOperations<DebugAllocator> {
public:
    static constexpr std::size_t no_limit = SIZE_MAX;

    /// Pages that nobody may touch. A fault there is reported with the allocation, how far outside,
    /// and the stacks; then it takes its course. Freed pages become inaccessible, and no address is
    /// used again. Each allocation takes pages of its own and two system calls; pads fill what is
    /// left of them, and `backing`, `fill_freed` and quarantine do not apply.
    enum class Guard : unsigned char {
        off,
        behind,    // Right behind each allocation, but for its alignment.
        in_front,  // Right in front of each.
    };

    /// Of a report. JSON is an object a line.
    enum class Format : unsigned char { text, json };

    /// What `checked_build` changes is in the table of docs/debugging.md.
    struct Options {
        /// Where chunks come from. Guard mode does not use it.
        Allocator backing = page_allocator();

        /// Frames per call stack, at most `StackTrace::frame_count_max`. 0: allocations and frees
        /// have none; findings still tell where they were made.
        unsigned stack_frame_count = checked_build ? 16 : 8;

        /// The most that may be lent out at once, in requested bytes. What fails charges nothing.
        std::size_t limit_bytes = no_limit;

        /// False: one thread, without locks; use by another is a finding.
        bool thread_safe = true;

        /// What new and freed memory is filled with; none costs nothing. Checked builds fill new
        /// memory with 0xAA in any case, at the caller.
        std::optional<unsigned char> fill_allocated = std::nullopt;
        std::optional<unsigned char> fill_freed =
            checked_build ? std::optional(undefined_byte) : std::nullopt;

        /// Canaries around each allocation: a multiple of 16 up to 4096 before, any number up to
        /// 4096 after. 0: no canary on that side.
        std::size_t pad_before_bytes = 16;
        std::size_t pad_after_bytes = 16;

        /// Freed memory is not reused before this many bytes have been freed after it; writes to
        /// it are found when it leaves, and by `check_all`. 0: reused at once. Needs `fill_freed`.
        std::size_t quarantine_bytes = checked_build ? std::size_t{256} << 10 : 0;

        /// Wrong reads are found, too, when they happen.
        Guard guard = Guard::off;

        /// Freed memory stays mapped until `deinit`, so that a late access reads the fill instead
        /// of ending the program, and large allocations are checked for late writes, too.
        bool never_unmap = false;

        /// The records of all memory that was given back are kept, so that a second free is told
        /// apart from a foreign one however long ago the first was. Otherwise the latest 256.
        bool retain_metadata = false;

        /// A resize in place replaces the stack that the allocation is reported with.
        bool refresh_trace_on_resize = false;

        /// A line per operation to the report.
        bool verbose_log = false;

        OnFinding on_finding = OnFinding::report;
        FindingCallback callback = {};

        /// Reports are appended to this file; null is standard error. Where it cannot be opened or
        /// takes no more, standard error is used, after a line that says why.
        const char* report_path = nullptr;

        /// Of findings, and of leaks where `report_leaks` is not told otherwise.
        Format report_format = Format::text;

        /// A LeakSanitizer suppression file (`leak:PATTERN` a line); leaks with a matching frame
        /// are counted and not reported. A malformed line is reported, and has no effect.
        const char* suppressions_path = nullptr;

        /// AddressSanitizer and Valgrind, where they watch, learn what is lent out. They then stop
        /// at a wrong access themselves, before it can be found here.
        bool mark_for_checkers = true;

        const char* name = "debug";

        /// Why these options cannot work, as a sentence; null where they can.
        [[nodiscard]] const char* mistake() const noexcept;
    };

    /// Stops the program where the options have a mistake.
    explicit DebugAllocator(const Options& options) noexcept;
    DebugAllocator() noexcept;

    /// As `deinit()`, where that was not called.
    ~DebugAllocator();

    /// Checks everything, reports leaks, and gives all memory back. Returns whether anything
    /// leaked. Later use of the allocator is out of memory, and a late free is a foreign one, whose
    /// report says that the allocator is over.
    [[nodiscard]] bool deinit() noexcept;

    /// Reports what is lent out now, if anything, grouped by stack, largest first. Returns the
    /// number of allocations, without the suppressed ones. Other threads wait meanwhile.
    std::size_t report_leaks() noexcept;
    std::size_t report_leaks(Format format) noexcept;

    /// The same without a word.
    [[nodiscard]] std::size_t leak_count() noexcept;

    /// Looks at the pads of every allocation and at all quarantined memory. Returns the number of
    /// findings, each of which was reported; the damage is repaired, so that none is told twice.
    std::size_t check_all() noexcept;

    /// Requested bytes, and allocations. With several threads, peaks are too low by what fits into
    /// 64 KiB a thread.
    struct Counters {
        std::size_t current_bytes = 0;
        std::size_t current_count = 0;
        std::size_t peak_bytes = 0;
        std::size_t peak_count = 0;  // Maybe at another time than that of the bytes.
        std::uint64_t total_bytes = 0;
        std::uint64_t total_count = 0;
        std::size_t finding_count = 0;
    };
    [[nodiscard]] Counters counters() const noexcept;

    /// Whether `memory` lies in an allocation of this allocator that is lent out.
    [[nodiscard]] bool owns(const void* memory) const noexcept;

    /// Forgets which thread owns it, where `thread_safe` is false, so that another may take over.
    void detach_from_thread() noexcept;

private:
    friend HeapOperations;

    static constexpr bool verifies_frees = true;

    static void* slow_alloc(Heap& heap, std::size_t size_bytes,
                            std::align_val_t alignment) noexcept;
    static bool slow_resize(Heap& heap, void* memory, std::size_t old_bytes, std::size_t new_bytes,
                            std::align_val_t alignment) noexcept;
    static void* slow_remap(Heap& heap, void* memory, std::size_t old_bytes, std::size_t new_bytes,
                            std::align_val_t alignment) noexcept;
    static void slow_free(Heap& heap, void* memory, std::size_t size_bytes,
                          std::align_val_t alignment) noexcept;

    detail::DebugState* state_;
};

}  // namespace carbide
