// SPDX-License-Identifier: MIT
#include "report.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace bench::heaps {
namespace {

double mib(double bytes) { return bytes / (1 << 20); }

std::string name_of(const Candidate& candidate) {
    if (candidate.is_carbide()) return "Carbide, " + candidate.interface;
    return candidate.interface == "new" ? candidate.peer + ", sized delete" : candidate.peer;
}

std::optional<double> time_goal(const Goals& goals, const Candidate& candidate) {
    if (candidate.interface == "handle") return goals.handle;
    if (candidate.interface == "known") return goals.known;
    return std::nullopt;
}

// What is true of the measured ratio, not of the printed one.
std::string verdict(bool is_reached, const std::string& goal, Tally& tally) {
    ++tally.total;
    if (is_reached) ++tally.reached;
    return fmt::format("  {} {}", is_reached ? "✓" : "✗", goal);
}

std::string cell(const Series& series, const Series* best, double Sample::* member, double scale,
                 int precision) {
    const std::string ratio =
        best == nullptr ? "" : fmt::format("{:.2f}", Result::ratio(series, *best, member));
    return fmt::format("{:>10.{}f} {:>6}", series.median(member) / scale, precision, ratio);
}

std::string verdicts(const Result& result, const Series& series, Tally& tally) {
    std::string text;
    const Series* const fastest = result.best_peer(&Sample::ns);
    const Series* const smallest = result.best_peer(&Sample::steady_bytes);
    if (!series.candidate.is_carbide() || fastest == nullptr) return text;
    if (series.candidate.interface == "hardened") return text;
    if (const auto goal = time_goal(result.run.goals, series.candidate)) {
        text += verdict(Result::ratio(series, *fastest, &Sample::ns) <= *goal,
                        fmt::format("time {:.1f}", *goal), tally);
    }
    text += verdict(Result::ratio(series, *smallest, &Sample::steady_bytes) <= resident_goal,
                    fmt::format("memory {:.1f}", resident_goal), tally);
    if (result.run.workload == "peak") {
        text += verdict(
            series.median(&Sample::settled_bytes) <= static_cast<double>(settled_goal_bytes),
            fmt::format("settled {} MiB", settled_goal_bytes >> 20), tally);
    }
    return text;
}

std::string title(const Run& run) {
    return fmt::format("{}: {}; {} thread{}", run.workload, run.description, run.thread_count,
                       run.thread_count == 1 ? "" : "s");
}

}  // namespace

void print_table(const Result& result, Tally& tally) {
    fmt::print("\n{}\n", title(result.run));
    if (!result.skipped.empty()) {
        fmt::print("  skipped: {}\n", result.skipped);
        return;
    }
    const bool settles = result.run.workload == "peak";
    fmt::print("  {:<24} {:>10} {:>6} {:>10} {:>6} {:>10} {:>10}{}  goals\n", "", "ns", ": best",
               "MiB", ": best", "peak", "freed", settles ? "   after 1 s" : "");
    const Series* const fastest = result.best_peer(&Sample::ns);
    const Series* const smallest = result.best_peer(&Sample::steady_bytes);
    for (const Series* series : result.faster()) {
        fmt::print("  {:<24} {} {}", name_of(series->candidate),
                   cell(*series, fastest, &Sample::ns, 1, 1),
                   cell(*series, smallest, &Sample::steady_bytes, 1 << 20, 1));
        for (double Sample::* column : {&Sample::peak_bytes, &Sample::freed_bytes}) {
            fmt::print(" {:>10.1f}", mib(series->median(column)));
        }
        if (settles) fmt::print(" {:>11.1f}", mib(series->median(&Sample::settled_bytes)));
        fmt::print("{}\n", verdicts(result, *series, tally));
    }
}

void print_scaling(const std::vector<Result>& results) {
    std::size_t first = 0;
    while (first < results.size()) {
        std::size_t end = first;
        while (end < results.size() && results[end].run.workload == results[first].run.workload) {
            ++end;
        }
        fmt::print("\n{}: {}\n  ns of one core, and what that is of its first column\n  {:<24}",
                   results[first].run.workload, results[first].run.description, "threads");
        for (std::size_t i = first; i < end; ++i)
            fmt::print(" {:>14}", results[i].run.thread_count);
        for (const Series* row : results[first].faster()) {
            const std::string peer = row->candidate.peer;
            fmt::print("\n  {:<24}", row->candidate.is_carbide() ? name_of(row->candidate) : peer);
            for (std::size_t i = first; i < end; ++i) {
                // By whatever way was faster for this peer on so many threads.
                for (const Series* series : results[i].faster()) {
                    const bool is_same = series->candidate.peer == peer &&
                                         (!series->candidate.is_carbide() ||
                                          series->candidate.interface == row->candidate.interface);
                    if (!is_same) continue;
                    const double ns = series->median(&Sample::ns);
                    fmt::print(" {:>8.1f} {:>5.2f}", ns, ns / row->median(&Sample::ns));
                }
            }
        }
        fmt::print("\n");
        first = end;
    }
}

std::string to_json(const std::vector<Result>& results) {
    std::string json = "[";
    const char* separator = "\n";
    for (const Result& result : results) {
        const Series* const fastest = result.best_peer(&Sample::ns);
        for (const Series& series : result.all) {
            json += fmt::format(
                "{}  {{\"workload\": \"{}\", \"threads\": {}, \"operations\": {}, "
                "\"allocator\": \"{}\", \"interface\": \"{}\", \"ns\": {:.3f}",
                separator, result.run.workload, result.run.thread_count, result.run.operation_count,
                series.candidate.peer, series.candidate.interface, series.median(&Sample::ns));
            if (fastest != nullptr) {
                json += fmt::format(", \"ns_of_best_peer\": {:.4f}",
                                    Result::ratio(series, *fastest, &Sample::ns));
            }
            json += fmt::format(
                ", \"steady_bytes\": {:.0f}, \"peak_bytes\": {:.0f}, \"freed_bytes\": {:.0f}, "
                "\"settled_bytes\": {:.0f}, \"samples_ns\": [",
                series.median(&Sample::steady_bytes), series.median(&Sample::peak_bytes),
                series.median(&Sample::freed_bytes), series.median(&Sample::settled_bytes));
            for (std::size_t i = 0; i < series.samples.size(); ++i) {
                json += fmt::format("{}{:.3f}", i == 0 ? "" : ", ", series.samples[i].ns);
            }
            json += "]}";
            separator = ",\n";
        }
    }
    return json + "\n]\n";
}

}  // namespace bench::heaps
