// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "carbide/testing/allocation_failures.hpp"
#include "carbide/testing/testing_allocator.hpp"
#include "testing/failure_points.hpp"
#include "testing/isolated_run.hpp"
#include "testing/run_record.hpp"
#include "testing/sweep_text.hpp"

namespace carbide::testing {

/// A verdict, and what it is about.
struct Judgement {
    Verdict verdict = Verdict::passed;
    std::string explanation;
};

/// What is expected of a run.
struct Expectation {
    bool allow_recovery = false;
    std::size_t alloc_count = 0;  // Of the run without failures.
    std::size_t resize_count = 0;
    detail::RunOutcome outcome;
};

/// `point` is none for the run without failures, where `expected` is not looked at.
[[nodiscard]] Judgement judge(const RunRecord& record, const std::optional<FailurePoint>& point,
                              const Expectation& expected);

/// What a child said that did not come to its end, in a line of its own.
void add_child_end(Judgement& judgement, std::string_view child_end);

/// Puts what the allocator has found into the record, and the stack where it tells something.
void note_report(RunRecord& record, const TestReport& report);
void note_induced_failure(RunRecord& record, StackTrace trace);

namespace detail {

/// One run of the function under test.
class RunControl {
public:
    RunControl(TestingAllocator& testing, RunRecord& record,
               const FailingAllocator::Plan& plan) noexcept
        : testing_(testing), record_(record), plan_(plan) {}

    [[nodiscard]] TestingAllocator& testing() noexcept { return testing_; }
    [[nodiscard]] StackTrace induced_failure() const noexcept { return induced_failure_; }

    void begin_failures() noexcept;
    void end_failures(const RunOutcome& outcome) noexcept;
    void note_changed_object() noexcept { record_.object_changed = true; }

private:
    TestingAllocator& testing_;
    RunRecord& record_;
    FailingAllocator::Plan plan_;
    StackTrace induced_failure_;
};

}  // namespace detail

/// All runs of one function.
class Sweep {
public:
    Sweep(detail::RunFunction function, void* context, const SweepOptions& options)
        : function_(function), context_(context), options_(options) {}

    SweepReport run();

private:
    [[nodiscard]] bool run_without_failures();
    void run_with_failures(const PointSelection& selection);
    void execute(const std::optional<FailurePoint>& point);
    void run_function(const std::optional<FailurePoint>& point);
    void note(const std::optional<FailurePoint>& point, Judgement judgement);
    [[nodiscard]] std::string heading(const PointSelection& selection) const;

    detail::RunFunction function_;
    void* context_;
    SweepOptions options_;
    Expectation expected_;
    SharedRecord record_;
    std::string child_end_;  // What the last child said where it did not come to its end.
    SweepText text_;
    SweepReport report_;
    bool gave_up_ = false;
};

}  // namespace carbide::testing
