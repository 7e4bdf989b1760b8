// SPDX-License-Identifier: MIT
#include <cstring>

#include "platform/stack.hpp"
#include "testing/sweep.hpp"

namespace carbide::testing {
namespace {

using Kind = detail::RunOutcome::Kind;

std::string counts_text(std::size_t alloc_count, std::size_t resize_count) {
    return counted(alloc_count, "alloc") + " and " + counted(resize_count, "resize");
}

std::string outcome_text(const detail::RunOutcome& outcome) {
    const std::string text = outcome.text;
    const std::string detail = text.empty() ? "" : " (" + text + ")";
    switch (outcome.kind) {
        case Kind::succeeded:
            return "the function succeeded" + detail;
        case Kind::out_of_memory:
            return "the function reported that memory was out" + detail;
        case Kind::failed:
            return "the function failed" + detail;
        case Kind::other_error:
            return "the function failed of something else" + detail;
        case Kind::wrong_value:
            return "the check of its result refused the result" + detail;
    }
    return {};
}

Judgement judge_success(const RunRecord& record, const Expectation& expected) {
    if (record.reportable_failure_count != 0 && !expected.allow_recovery) {
        return {Verdict::swallowed,
                outcome_text(record.outcome) +
                    " although an alloc had failed; where that is intended, put a RecoveryScope"
                    " around the request, or set `allow_recovery`"};
    }
    if (record.outcome.kind == Kind::wrong_value) {
        return {Verdict::wrong_result, outcome_text(record.outcome)};
    }
    if (record.outcome.value_hash != expected.outcome.value_hash) {
        return {Verdict::wrong_result, outcome_text(record.outcome) + "; without failures it did " +
                                           "so with another value (" + expected.outcome.text + ")"};
    }
    return {};
}

Judgement judge_result(const RunRecord& record, const Expectation& expected) {
    if (!record.outcome.has_failed()) return judge_success(record, expected);
    if (record.outcome.kind == Kind::other_error) {
        return {Verdict::wrong_result,
                outcome_text(record.outcome) + ", and not because memory was out"};
    }
    if (record.object_changed) {
        return {Verdict::changed,
                outcome_text(record.outcome) + ", and the object is not as it was before"};
    }
    return {};
}

}  // namespace

Judgement judge(const RunRecord& record, const std::optional<FailurePoint>& point,
                const Expectation& expected) {
    if (record.hung) return {Verdict::hung, "it did not end within the time limit"};
    if (!record.ended) {
        if (record.signal == 0) return {Verdict::crashed, ""};
        return {Verdict::crashed,
                "signal " + std::to_string(record.signal) + " (" + strsignal(record.signal) + ")"};
    }
    if (record.is_corrupted()) return {Verdict::corrupted, outcome_text(record.outcome)};
    if (point.has_value() && record.induced_failure_count == 0) {
        return {Verdict::non_deterministic,
                "it made " + counts_text(record.alloc_count, record.resize_count) +
                    ", and so never the request that was to fail; without failures there were " +
                    counts_text(expected.alloc_count, expected.resize_count)};
    }
    if (record.leaked) return {Verdict::leaked, outcome_text(record.outcome)};
    if (point.has_value()) return judge_result(record, expected);
    if (record.outcome.kind == Kind::succeeded) return {};
    return {Verdict::wrong_result,
            outcome_text(record.outcome) + ", although every request succeeded"};
}

void add_child_end(Judgement& judgement, std::string_view child_end) {
    if (child_end.empty()) return;
    if (!judgement.explanation.empty()) judgement.explanation += "\n";
    judgement.explanation += child_end;
}

void note_report(RunRecord& record, const TestReport& report) {
    record.leaked = report.leaked();
    record.has_finding = report.first_finding().has_value();
    record.first_finding = report.first_finding().value_or(FindingKind{});
    record.findings.set(report.message());
}

void note_induced_failure(RunRecord& record, StackTrace trace) {
    platform::ReportText text;
    platform::write_trace(text, trace);
    record.induced_at.set(text.view());
}

}  // namespace carbide::testing
