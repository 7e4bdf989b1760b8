// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "carbide/allocator.hpp"
#include "carbide/debug_allocator.hpp"
#include "carbide/failing_allocator.hpp"
#include "carbide/finding.hpp"
#include "carbide/testing/run_outcome.hpp"

/// Out of memory at every point of a function: does it report it, and leave nothing behind?
///
///     const auto report = check_all_allocation_failures(
///         [](Allocator allocator, std::string_view text) -> Result<void> {
///             Document document(allocator);
///             CARBIDE_TRY(document.parse(text));
///             return {};
///         },
///         "[1, 2, 3]");
///     ASSERT_TRUE(report.passed()) << report.message();
namespace carbide::testing {

/// How a run ended. The worst comes first; a run has the first that applies.
enum class Verdict : unsigned char {
    crashed,            // By a signal, or it ended the process. Seen with `isolate`.
    hung,               // Longer than the time limit. Seen with `isolate`.
    corrupted,          // A double free, an overrun, a wrong size: see `finding`.
    non_deterministic,  // It asks for memory in another way each time, so no failure can be
                        // planned.
    leaked,
    swallowed,     // A failed alloc, and success all the same.
    wrong_result,  // Another error than out of memory, or another result than without failures.
    changed,       // It failed, and the object is not as it was before.
    not_run,       // `only` names no request of this function.
    passed,
};

/// "swallowed", as in messages.
[[nodiscard]] std::string_view name_of(Verdict verdict) noexcept;

/// A request that fails. Written as "alloc:17:once": kind, index from 0, and what follows it.
struct FailurePoint {
    enum class Kind : unsigned char {
        alloc,
        resize,  // Or remap. That it fails need not be reported.
    };
    using Repeat = FailingAllocator::Repeat;

    Kind kind = Kind::alloc;
    std::size_t index = 0;

    /// `once`; `from_there_on`, written "each", for resizes only; `all_from_there_on`, written
    /// "all".
    Repeat repeat = Repeat::once;

    [[nodiscard]] std::string to_string() const;
    friend bool operator==(const FailurePoint&, const FailurePoint&) = default;
};

struct SweepOptions {
    /// The function may succeed although an alloc failed. To say so for single requests, put a
    /// `RecoveryScope` around them in the code under test.
    bool allow_recovery = false;

    /// Each run in a forked child, so that a crash or a hang is a verdict about that run and not
    /// the end of the tests. The child has only the thread that calls the sweep.
    bool isolate = false;

    /// Of one isolated run, twice that before it is killed.
    unsigned time_limit_ms = 10'000;

    /// Runs at most so many of the planned failures, chosen by `seed`, which the message names.
    std::size_t sample_count = SIZE_MAX;
    std::uint64_t seed = 1;

    /// Fails only this request: "alloc:17:once", as a message says it. Null: all. The environment's
    /// CARBIDE_SWEEP_ONLY comes before it; CARBIDE_SWEEP_SAMPLE and CARBIDE_SWEEP_SEED before the
    /// two above.
    const char* only = nullptr;

    /// For functions that return an int: the code of out of memory. Without one, ENOMEM is, with
    /// either sign, and any other code but 0 is taken for it.
    std::optional<int> out_of_memory_code = std::nullopt;

    /// Frames per call stack. 0: no stacks.
    unsigned stack_frame_count = 16;

    /// As for a `TestingAllocator`. Use guards with `isolate`, as they make mistakes crash.
    DebugAllocator::Guard guard = DebugAllocator::Guard::off;
    bool mark_for_checkers = true;
};

/// A run that did not pass.
struct FailedRun {
    Verdict verdict;
    std::optional<FailurePoint> point;   // None: the run without failures.
    std::optional<FindingKind> finding;  // The first, where there was one.
};

/// The outcome of a sweep.
class [[nodiscard]] SweepReport {
public:
    [[nodiscard]] bool passed() const noexcept { return failed_runs_.empty(); }
    explicit operator bool() const noexcept { return passed(); }

    /// Of the first run that did not pass.
    [[nodiscard]] Verdict verdict() const noexcept {
        return passed() ? Verdict::passed : failed_runs_.front().verdict;
    }
    [[nodiscard]] std::optional<FindingKind> finding() const noexcept {
        return passed() ? std::nullopt : failed_runs_.front().finding;
    }
    [[nodiscard]] std::span<const FailedRun> failed_runs() const noexcept { return failed_runs_; }
    [[nodiscard]] std::size_t count(Verdict verdict) const noexcept;

    /// What went wrong: verdicts with the stack of the induced failure, what was found, and how to
    /// run that one again. Equal mistakes are told once. Empty where all was well.
    [[nodiscard]] const std::string& message() const noexcept { return message_; }

    /// What the function asks for where nothing fails. No allocs: the sweep has shown nothing.
    [[nodiscard]] std::size_t alloc_count() const noexcept { return alloc_count_; }
    [[nodiscard]] std::size_t resize_count() const noexcept { return resize_count_; }

    /// Runs with a planned failure.
    [[nodiscard]] std::size_t run_count() const noexcept { return run_count_; }

private:
    friend class Sweep;

    std::vector<FailedRun> failed_runs_;
    std::string message_;
    std::size_t alloc_count_ = 0;
    std::size_t resize_count_ = 0;
    std::size_t run_count_ = 0;
};

namespace detail {

class RunControl;  // What one run may do: see src/testing/sweep.hpp.

[[nodiscard]] Allocator allocator_of(RunControl& control) noexcept;
void begin_failures(RunControl& control) noexcept;
void end_failures(RunControl& control, const RunOutcome& outcome) noexcept;
void note_changed_object(RunControl& control) noexcept;

using RunFunction = void (*)(void* context, RunControl& control);
SweepReport sweep(RunFunction run, void* context, const SweepOptions& options);

template <class Check, class F, class... Args>
SweepReport sweep_function(const SweepOptions& options, Check check, F& function,
                           const std::tuple<Args...>& arguments) {
    auto run = [&](RunControl& control) {
        const auto call = [&]() -> decltype(auto) {
            return std::apply(
                [&](const Args&... each) -> decltype(auto) {
                    return std::invoke(function, allocator_of(control), each...);
                },
                arguments);
        };
        begin_failures(control);
        end_failures(control, run_and_classify(call, check, options.out_of_memory_code));
    };
    using Run = decltype(run);
    return sweep([](void* context, RunControl& control) { (*static_cast<Run*>(context))(control); },
                 &run, options);
}

}  // namespace detail

/// Looks at the result of each run that succeeded; the value, where that is in a `Result` or the
/// like.
template <class Check>
struct ResultCheck {
    Check check;
};

/// `result_check([](const Tree& tree) { return tree.size() == 3; })`
template <class Check>
[[nodiscard]] ResultCheck<Check> result_check(Check check) {
    return {std::move(check)};
}

/// Runs `function(allocator, args...)` twice without failures, then with each of its requests
/// failing: that one only, and it with all that follow.
///
/// The function says that memory is out by a `Result`, `std::expected`, `std::error_code`, bool,
/// null pointer, empty optional, code (int or enum, 0 is success) or exception. It must give
/// everything back in the end. Numbers and strings that it returns are compared with those of
/// the first run.
template <class F, class... Args>
    requires std::invocable<F&, Allocator, const std::decay_t<Args>&...>
SweepReport check_all_allocation_failures(const SweepOptions& options, F function, Args&&... args) {
    const std::tuple<std::decay_t<Args>...> arguments(std::forward<Args>(args)...);
    return detail::sweep_function(options, detail::AnyResult(), function, arguments);
}

template <class Check, class F, class... Args>
SweepReport check_all_allocation_failures(const SweepOptions& options, ResultCheck<Check> check,
                                          F function, Args&&... args) {
    const std::tuple<std::decay_t<Args>...> arguments(std::forward<Args>(args)...);
    return detail::sweep_function(options, std::move(check.check), function, arguments);
}

template <class F, class... Args>
    requires std::invocable<F&, Allocator, const std::decay_t<Args>&...>
SweepReport check_all_allocation_failures(F function, Args&&... args) {
    return check_all_allocation_failures(SweepOptions{}, std::move(function),
                                         std::forward<Args>(args)...);
}

/// The strong guarantee: where `operation(object, allocator)` fails, `object` is as it was before.
///
/// `make(allocator)` builds the object, without failures, anew for each run. `snapshot(object)`
/// returns a copy of what counts, with `==`, which must not take memory of that allocator.
template <class Make, class Operation, class Snapshot>
SweepReport check_strong_guarantee(const SweepOptions& options, Make make, Operation operation,
                                   Snapshot snapshot) {
    auto run = [&](detail::RunControl& control) {
        const Allocator allocator = detail::allocator_of(control);
        auto object = make(allocator);
        const auto before = snapshot(std::as_const(object));
        detail::AnyResult any;
        const auto call = [&]() -> decltype(auto) { return operation(object, allocator); };
        detail::begin_failures(control);
        const auto outcome = detail::run_and_classify(call, any, options.out_of_memory_code);
        detail::end_failures(control, outcome);
        if (outcome.has_failed() && !(snapshot(std::as_const(object)) == before)) {
            detail::note_changed_object(control);
        }
    };
    using Run = decltype(run);
    return detail::sweep(
        [](void* context, detail::RunControl& control) { (*static_cast<Run*>(context))(control); },
        &run, options);
}

template <class Make, class Operation, class Snapshot>
SweepReport check_strong_guarantee(Make make, Operation operation, Snapshot snapshot) {
    return check_strong_guarantee(SweepOptions{}, std::move(make), std::move(operation),
                                  std::move(snapshot));
}

}  // namespace carbide::testing
