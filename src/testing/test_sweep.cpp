// SPDX-License-Identifier: MIT
#include "testing/test_sweep.hpp"

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string_view>

#include "testing/failure_points.hpp"
#include "testing/sweep.hpp"
#include "testing/sweep_progress.hpp"
#include "testing/sweep_text.hpp"

namespace carbide::testing {
namespace {

constexpr unsigned time_limit_ms = 10'000;
constexpr std::size_t hung_run_count_max = 3;

bool read_request() {
    bool wanted = false;
    const char* const variable = std::getenv("CARBIDE_SWEEP");
    if (variable != nullptr && *variable != '\0' && std::strcmp(variable, "0") != 0) wanted = true;
    std::ifstream command_line("/proc/self/cmdline", std::ios::binary);
    for (std::string word; std::getline(command_line, word, '\0');) {
        if (word == "--carbide-sweep") wanted = true;
        // Googletest has started this process to run one statement of a test that is swept already.
        if (word.starts_with("--gtest_internal_run_death_test")) return false;
    }
    return wanted;
}

// `must_alloc` and the like say that they stop the program. In the code under test that is a
// decision, and in the test itself the usual way to be short.
bool stopped_on_purpose(const RunRecord& record, std::string_view child_end) noexcept {
    return record.signal == SIGABRT &&
           child_end.find("carbide: out of memory: ") != std::string_view::npos;
}

// What a test says to an induced failure is its own affair: its checks may well fail.
Judgement judge_test(const RunRecord& record, std::string_view child_end) {
    if (record.skipped || stopped_on_purpose(record, child_end)) return {};
    if (record.ended && !record.is_corrupted() && !record.leaked) return {};
    Judgement judgement = judge(record, std::nullopt, {});
    if (record.ended) judgement.explanation.clear();
    add_child_end(judgement, child_end);
    return judgement;
}

}  // namespace

bool test_sweep_is_requested() {
    static const bool requested = read_request();
    return requested;
}

TestSweep::Process TestSweep::run(const std::optional<FailurePoint>& point) {
    IsolatedRun child(*record_, time_limit_ms);
    if (child.start()) {
        testing_.failing().rearm(point ? plan_of(*point) : FailingAllocator::Plan{});
        IsolatedRun::watch(&testing_);
        return Process::child;
    }
    child.wait();
    child_end_ = child.end_text();
    return Process::parent;
}

bool TestSweep::run_children(const std::string& test_name) {
    const PointSelection selection = select_points(nullptr, SIZE_MAX, 1);
    if (!selection.mistake.empty()) {
        message_ = "carbide: " + selection.mistake + "\n";
        return false;
    }
    if (run(std::nullopt) == Process::child) return true;
    // Where it fails by itself, the run in this process is going to show it.
    if (!record_->ended || record_->skipped) return false;

    const auto points = failure_points(record_->alloc_count, record_->resize_count, selection);
    SweepProgress progress(points.size());
    SweepText text;
    std::size_t failed_count = 0;
    std::size_t hung_count = 0;
    std::size_t run_count = 0;
    for (const FailurePoint& point : points) {
        if (hung_count == hung_run_count_max) break;
        if (run(point) == Process::child) return true;
        progress.show(++run_count);
        const Judgement judgement = judge_test(*record_, child_end_);
        if (judgement.verdict == Verdict::passed) continue;
        FailedRun failed{.verdict = judgement.verdict, .point = point, .finding = std::nullopt};
        if (record_->has_finding) failed.finding = record_->first_finding;
        text.add(failed, *record_, judgement.explanation);
        ++failed_count;
        if (judgement.verdict == Verdict::hung) ++hung_count;
    }
    if (failed_count != 0) {
        message_ = text.finish("'" + test_name +
                               "' under the failure sweep: " + std::to_string(failed_count) +
                               " of " + counted(run_count, "run") + " with a failure did not pass");
    }
    return false;
}

void TestSweep::end_child(bool skipped, const TestReport& other_reports) noexcept {
    FailingAllocator& failing = testing_.failing();
    RunRecord& record = *record_;
    record.skipped = skipped;
    record.alloc_count = failing.alloc_count();
    record.resize_count = failing.resize_count();
    record.induced_failure_count = failing.induced_failure_count();
    TestReport report = testing_.finish();
    report.add(other_reports);
    note_report(record, report);
    if (record.has_finding) {
        note_induced_failure(record, failing.first_induced_failure_trace());
    }
    IsolatedRun::end(record);
}

}  // namespace carbide::testing
