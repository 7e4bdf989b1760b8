// SPDX-License-Identifier: MIT
#pragma once

#include "carbide/debug_allocator.hpp"
#include "mistakes/mistake_pair.hpp"

/// The tools that judge mistakes. No checker is told about memory, because AddressSanitizer would
/// stop the program before our own checks see what it did.
namespace carbide::tests {

[[nodiscard]] Outcome outcome_of_sweep(const testing::SweepReport& report);

inline constexpr testing::SweepOptions sweep_options{.mark_for_checkers = false};

/// Long enough for a busy machine; one mistake hangs, and takes that long.
inline constexpr testing::SweepOptions child_options{
    .isolate = true, .time_limit_ms = 2000, .mark_for_checkers = false};

/// `check_all_allocation_failures`.
template <class F>
Outcome swept(F function) {
    return outcome_of_sweep(testing::check_all_allocation_failures(sweep_options, function));
}

/// The same with each run in a child, for what crashes or hangs.
template <class F>
Outcome swept_in_children(F function) {
    return outcome_of_sweep(testing::check_all_allocation_failures(child_options, function));
}

/// `check_strong_guarantee` of an operation of a class that an allocator makes. Its `snapshot()`
/// says what must not change.
template <class Object, class R>
Outcome checked_for_strong_guarantee(R (*operation)(Object&)) {
    return outcome_of_sweep(testing::check_strong_guarantee(
        sweep_options, [](Allocator allocator) { return Object(allocator); },
        [&](Object& object, Allocator) { return operation(object); },
        [](const Object& object) { return object.snapshot(); }));
}

/// A DebugAllocator that checks everything but reads, and calls back.
[[nodiscard]] Outcome debugged(void (*function)(Allocator));
[[nodiscard]] Outcome debugged(void (*function)(DebugAllocator&));

/// The same with two of them.
[[nodiscard]] Outcome debugged(void (*function)(Allocator, Allocator));

/// The same with one that belongs to one thread.
[[nodiscard]] Outcome debugged_for_one_thread(void (*function)(DebugAllocator&));

/// A TestingAllocator, as a test has it.
[[nodiscard]] Outcome tested(void (*function)(Allocator));

/// Guard mode, in a child process, with the protected page behind each allocation.
[[nodiscard]] Outcome guarded(void (*function)(Allocator));

/// The same with the page in front.
[[nodiscard]] Outcome guarded_in_front(void (*function)(Allocator));

/// NoGlobalAllocation around the function, which gets an arena.
[[nodiscard]] Outcome watched_for_global_allocation(void (*function)(Allocator));

}  // namespace carbide::tests
