// SPDX-License-Identifier: MIT
#include "testing/sweep_text.hpp"

#include <algorithm>

#include "testing/failure_points.hpp"

namespace carbide::testing {
namespace {

constexpr std::size_t mistake_count_max = 8;
constexpr std::size_t other_point_count_max = 5;

std::string_view end_label(Verdict verdict, const RunRecord& record) noexcept {
    if (verdict == Verdict::hung) return "  it was stopped here:\n";
    return record.signal != 0 ? "  it crashed here:\n" : "  it ended here:\n";
}

std::string text_of(const FailedRun& run, const RunRecord& record, std::string_view explanation) {
    std::string text(name_of(run.verdict));
    if (run.point.has_value()) {
        text += ": " + describe(*run.point);
    } else if (run.verdict != Verdict::not_run) {
        text += ": without any failure";
    }
    text += "\n";
    if (!explanation.empty()) text += indented(explanation);
    if (!record.induced_at.view().empty()) {
        text += "  the failure was induced here:\n";
        text += record.induced_at.view();
    }
    if (!record.ended_at.view().empty()) {
        text += end_label(run.verdict, record);
        text += record.ended_at.view();
    }
    if (!record.findings.view().empty()) {
        text += "  what was found:\n";
        text += indented(record.findings.view());
    }
    return text;
}

}  // namespace

std::string counted(std::size_t count, std::string_view noun) {
    return std::to_string(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

std::string indented(std::string_view text) {
    std::string result;
    while (!text.empty()) {
        const std::size_t size = std::min(text.find('\n'), text.size());
        if (size != 0) result += "    ";
        result += text.substr(0, size);
        result += '\n';
        text.remove_prefix(std::min(size + 1, text.size()));
    }
    return result;
}

void SweepText::add(const FailedRun& run, const RunRecord& record, std::string_view explanation) {
    const auto known = std::ranges::find_if(mistakes_, [&](const Mistake& mistake) {
        return mistake.run.verdict == run.verdict && mistake.run.finding == run.finding &&
               mistake.induced_at == record.induced_at.view() && run.point.has_value() &&
               mistake.run.point.has_value() && mistake.run.point->kind == run.point->kind &&
               // Without stacks nothing else tells one request from another.
               (!mistake.induced_at.empty() || mistake.run.point->index == run.point->index);
    });
    if (known != mistakes_.end()) {
        ++known->other_count;
        if (known->other_count <= other_point_count_max && run.point.has_value()) {
            known->other_points.push_back(run.point->to_string());
        }
    } else if (mistakes_.size() < mistake_count_max) {
        mistakes_.push_back({.run = run,
                             .induced_at = std::string(record.induced_at.view()),
                             .text = text_of(run, record, explanation),
                             .other_points = {},
                             .other_count = 0});
    } else {
        ++untold_count_;
    }
}

std::string SweepText::finish(const std::string& heading) const {
    std::string text = "carbide: " + heading + "\n";
    for (const Mistake& mistake : mistakes_) {
        text += "\n" + mistake.text;
        if (mistake.other_count != 0) {
            text += "  the same with";
            for (const std::string& point : mistake.other_points) text += " " + point;
            const std::size_t more = mistake.other_count - mistake.other_points.size();
            if (more != 0) text += " and " + std::to_string(more) + " more";
            text += "\n";
        }
        if (mistake.run.point.has_value() && mistake.run.verdict != Verdict::not_run) {
            text +=
                "  to run only this: CARBIDE_SWEEP_ONLY=" + mistake.run.point->to_string() + "\n";
        }
    }
    if (untold_count_ != 0) {
        text += "\nand " + counted(untold_count_, "more run") + " that did not pass\n";
    }
    return text;
}

}  // namespace carbide::testing
