// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>

#include "carbide/finding.hpp"

namespace carbide::testing {

/// A scope in which this thread, or every thread, must not use malloc or new: how one proves that
/// a function takes all its memory from the allocator that it was given.
///
///     const NoGlobalAllocation only_ours;
///     index.build(arena.allocator(), words);
///
/// Sees what calls malloc and its relatives, also inside of libstdc++ and other libraries; a thrown
/// exception is among that. Does not see mmap, nor allocators that libraries bring along. Frees
/// are no findings: what was allocated before may be freed.
///
/// Link `carbide::global_allocation`, which defines malloc and its relatives, and hands on to the C
/// library (glibc). Under AddressSanitizer and ThreadSanitizer that library must be built with the
/// same sanitizer, whose hooks it then uses. (ThreadSanitizer's leave out aligned allocations.)
///
/// Threads        A scope belongs to the thread that made it, and scopes of a thread nest.
/// Cost           For each malloc of the program two loads; within a scope, a stack and a report.
class [[nodiscard]] NoGlobalAllocation {
public:
    enum class Threads : unsigned char {
        this_one,
        all,  // Then there is one such scope at a time.
    };

    struct Options {
        Threads threads = Threads::this_one;

        /// `report` fails the running test of an adapter, and without one prints.
        OnFinding on_finding = OnFinding::report;
        FindingCallback callback = {};

        /// Frames per call stack. 0: no stacks.
        unsigned stack_frame_count = 16;

        /// Later findings are only counted, and the end of the scope tells how many there were.
        std::size_t report_count_max = 10;

        /// Of the scope, for reports; may be empty.
        const char* name = "";
    };

    NoGlobalAllocation() noexcept;
    explicit NoGlobalAllocation(const Options& options) noexcept;
    ~NoGlobalAllocation();
    NoGlobalAllocation(const NoGlobalAllocation&) = delete;  // malloc knows its address.
    NoGlobalAllocation& operator=(const NoGlobalAllocation&) = delete;

    /// Allocations so far that should not have been.
    [[nodiscard]] std::size_t finding_count() const noexcept {
        return finding_count_.load(std::memory_order_relaxed);
    }

    /// For the library: what its malloc calls.
    void note(std::size_t size_bytes, StackTrace here) noexcept;
    [[nodiscard]] unsigned stack_frame_count() const noexcept { return options_.stack_frame_count; }

private:
    void tell_count() const noexcept;

    Options options_;
    NoGlobalAllocation* outer_ = nullptr;
    std::atomic<std::size_t> finding_count_ = 0;
};

/// Global allocation is intended here, within a `NoGlobalAllocation` of this thread: a log line, a
/// library that cannot do without.
class [[nodiscard]] GlobalAllocationAllowed {
public:
    GlobalAllocationAllowed() noexcept { ++depth; }
    ~GlobalAllocationAllowed() { --depth; }
    GlobalAllocationAllowed(const GlobalAllocationAllowed&) = delete;  // Scopes nest.
    GlobalAllocationAllowed& operator=(const GlobalAllocationAllowed&) = delete;

    /// Whether the running thread is inside of one.
    [[nodiscard]] static bool is_open() noexcept { return depth != 0; }

private:
    static inline thread_local unsigned depth = 0;
};

}  // namespace carbide::testing
