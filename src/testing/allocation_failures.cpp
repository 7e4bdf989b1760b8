// SPDX-License-Identifier: MIT
#include "carbide/testing/allocation_failures.hpp"

#include <algorithm>

#include "testing/sweep.hpp"
#include "testing/sweep_progress.hpp"

namespace carbide::testing {
namespace {

// Each takes the whole time limit; more tell nothing new.
constexpr std::size_t hung_run_count_max = 3;

// "two runs with the same arguments differ: 1 and 2 allocs, results 'a' and 'b'"
std::string difference_of(const Expectation& one, const RunRecord& other) {
    std::string text;
    const auto add = [&](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
    const auto add_counts = [&](std::size_t first, std::size_t second, const char* what) {
        if (first == second) return;
        add(std::to_string(first) + " and " + std::to_string(second) + " " + what);
    };
    add_counts(one.alloc_count, other.alloc_count, "allocs");
    add_counts(one.resize_count, other.resize_count, "resizes");
    if (one.outcome.value_hash != other.outcome.value_hash) {
        add("results " + std::string(one.outcome.text) + " and " + other.outcome.text);
    }
    return "two runs with the same arguments differ: " + text;
}

}  // namespace

std::string_view name_of(Verdict verdict) noexcept {
    switch (verdict) {
        case Verdict::crashed:
            return "crashed";
        case Verdict::hung:
            return "hung";
        case Verdict::corrupted:
            return "corrupted";
        case Verdict::non_deterministic:
            return "non-deterministic";
        case Verdict::leaked:
            return "leaked";
        case Verdict::swallowed:
            return "swallowed";
        case Verdict::wrong_result:
            return "wrong result";
        case Verdict::changed:
            return "changed";
        case Verdict::not_run:
            return "not run";
        case Verdict::passed:
            return "passed";
    }
    return {};
}

std::size_t SweepReport::count(Verdict verdict) const noexcept {
    return static_cast<std::size_t>(std::ranges::count(failed_runs_, verdict, &FailedRun::verdict));
}

SweepReport Sweep::run() {
    const PointSelection selection =
        select_points(options_.only, options_.sample_count, options_.seed);
    if (!selection.mistake.empty()) {
        note(std::nullopt, {Verdict::not_run, selection.mistake});
    } else if (run_without_failures()) {
        run_with_failures(selection);
    }
    if (!report_.passed()) report_.message_ = text_.finish(heading(selection));
    return std::move(report_);
}

// Twice, because one run cannot show that the next will ask for the same.
bool Sweep::run_without_failures() {
    for (const bool is_first : {true, false}) {
        execute(std::nullopt);
        const RunRecord& record = *record_;
        if (is_first) {
            report_.alloc_count_ = record.alloc_count;
            report_.resize_count_ = record.resize_count;
        }
        note(std::nullopt, judge(record, std::nullopt, expected_));
        if (!report_.passed()) return false;
        if (is_first) {
            expected_ = {.allow_recovery = options_.allow_recovery,
                         .alloc_count = record.alloc_count,
                         .resize_count = record.resize_count,
                         .outcome = record.outcome};
            continue;
        }
        if (record.alloc_count == expected_.alloc_count &&
            record.resize_count == expected_.resize_count &&
            record.outcome.value_hash == expected_.outcome.value_hash) {
            continue;
        }
        note(std::nullopt, {Verdict::non_deterministic, difference_of(expected_, record)});
        return false;
    }
    return true;
}

void Sweep::run_with_failures(const PointSelection& selection) {
    const std::vector<FailurePoint> points =
        failure_points(expected_.alloc_count, expected_.resize_count, selection);
    if (points.empty() && selection.only.has_value()) {
        return note(selection.only, {Verdict::not_run, "there is no such request"});
    }
    SweepProgress progress(points.size());
    for (const FailurePoint& point : points) {
        execute(point);
        ++report_.run_count_;
        note(point, judge(*record_, point, expected_));
        progress.show(report_.run_count_);
        gave_up_ = report_.count(Verdict::hung) == hung_run_count_max;
        if (gave_up_) return;
    }
}

void Sweep::execute(const std::optional<FailurePoint>& point) {
    child_end_.clear();
    if (!options_.isolate) {
        record_->clear();
        run_function(point);
        record_->ended = true;
        return;
    }
    IsolatedRun child(*record_, options_.time_limit_ms);
    if (child.start()) {
        run_function(point);
        IsolatedRun::end(*record_);
    }
    child.wait();
    child_end_ = child.end_text();
}

void Sweep::run_function(const std::optional<FailurePoint>& point) {
    RunRecord& record = *record_;
    TestingAllocator testing({.stack_frame_count = options_.stack_frame_count,
                              .guard = options_.guard,
                              .mark_for_checkers = options_.mark_for_checkers,
                              .name = "under test"});
    detail::RunControl control(testing, record, point ? plan_of(*point) : FailingAllocator::Plan{});
    TestingAllocator* const outer = IsolatedRun::watch(&testing);
    function_(context_, control);
    IsolatedRun::watch(outer);
    note_report(record, testing.finish());

    const bool ended = std::exchange(record.ended, true);
    if (judge(record, point, expected_).verdict != Verdict::passed) {
        note_induced_failure(record, control.induced_failure());
    }
    record.ended = ended;
}

void Sweep::note(const std::optional<FailurePoint>& point, Judgement judgement) {
    if (judgement.verdict == Verdict::passed) return;
    FailedRun run{.verdict = judgement.verdict, .point = point, .finding = std::nullopt};
    if (record_->has_finding) run.finding = record_->first_finding;
    add_child_end(judgement, child_end_);
    report_.failed_runs_.push_back(run);
    text_.add(run, *record_, judgement.explanation);
}

std::string Sweep::heading(const PointSelection& selection) const {
    std::string text = "check_all_allocation_failures: ";
    if (report_.verdict() == Verdict::not_run) return text + "nothing was failed";
    const std::string counts =
        counted(report_.alloc_count_, "alloc") + ", " + counted(report_.resize_count_, "resize");
    if (report_.run_count_ == 0) {
        return text + "nothing was failed, the function itself did not pass (" + counts + ")";
    }
    text += std::to_string(report_.failed_runs_.size()) + " of " +
            counted(report_.run_count_, "run") + " with a failure did not pass (" + counts;
    if (selection.sample_count != SIZE_MAX) {
        text += "; a sample, seed " + std::to_string(selection.seed);
    }
    if (gave_up_) text += "; gave up, because too many hung";
    return text + ")";
}

namespace detail {

void RunControl::begin_failures() noexcept { testing_.failing().rearm(plan_); }

void RunControl::end_failures(const RunOutcome& outcome) noexcept {
    FailingAllocator& failing = testing_.failing();
    record_.outcome = outcome;
    record_.alloc_count = failing.alloc_count();
    record_.resize_count = failing.resize_count();
    record_.induced_failure_count = failing.induced_failure_count();
    record_.reportable_failure_count = failing.reportable_failure_count();
    induced_failure_ = failing.first_induced_failure_trace();
    failing.rearm();
}

Allocator allocator_of(RunControl& control) noexcept { return control.testing().allocator(); }

void begin_failures(RunControl& control) noexcept { control.begin_failures(); }

void end_failures(RunControl& control, const RunOutcome& outcome) noexcept {
    control.end_failures(outcome);
}

void note_changed_object(RunControl& control) noexcept { control.note_changed_object(); }

SweepReport sweep(RunFunction run, void* context, const SweepOptions& options) {
    return Sweep(run, context, options).run();
}

}  // namespace detail
}  // namespace carbide::testing
