// SPDX-License-Identifier: MIT
#include "report.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>

namespace bench {
namespace {

std::vector<const Scenario*>& scenarios() {
    static std::vector<const Scenario*> all;
    return all;
}

double median(std::vector<double> values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

}  // namespace

Scenario::Scenario(std::string scenario_key, std::string scenario_title,
                   std::vector<Comparison> scenario_comparisons)
    : key(std::move(scenario_key)),
      title(std::move(scenario_title)),
      comparisons(std::move(scenario_comparisons)) {
    scenarios().push_back(this);
}

void PairedReporter::ReportRuns(const std::vector<Run>& runs) {
    for (const Run& run : runs) {
        if (run.run_type != Run::RT_Iteration) continue;
        const std::string name = run.benchmark_name();
        if (run.error_occurred) {
            errors_[name] = run.error_message;
        } else {
            times_[name].push_back(1e9 / run.counters.at("items_per_second"));
        }
    }
}

bool PairedReporter::print() const {
    for (const Scenario* const scenario : scenarios()) {
        const auto first = times_.lower_bound(scenario->key + "/");
        if (first == times_.end() || !first->first.starts_with(scenario->key + "/")) continue;
        print_times(*scenario);
        std::puts("  ratios of times, median of the sweeps");
        for (const Comparison& comparison : scenario->comparisons) {
            print_ratio(*scenario, comparison);
        }
        std::puts("");
    }
    for (const auto& [name, message] : errors_) {
        std::fprintf(stderr, "carbide: the benchmark '%s' failed: %s\n", name.c_str(),
                     message.c_str());
    }
    return errors_.empty();
}

// Fastest first.
void PairedReporter::print_times(const Scenario& scenario) const {
    const std::string prefix = scenario.key + "/";
    std::vector<std::pair<double, std::string>> rows;
    std::size_t sweep_count = 0;
    for (const auto& [name, times] : times_) {
        if (!name.starts_with(prefix)) continue;
        rows.emplace_back(median(times), name.substr(prefix.size()));
        sweep_count = times.size();
    }
    std::sort(rows.begin(), rows.end());
    std::printf("%s; nanoseconds for one, median of %zu\n", scenario.title.c_str(), sweep_count);
    for (const auto& [time_ns, name] : rows) {
        std::printf("  %-46s %6.2f\n", name.c_str(), time_ns);
    }
}

void PairedReporter::print_ratio(const Scenario& scenario, const Comparison& comparison) const {
    const auto subject = times_.find(scenario.key + "/" + comparison.subject);
    const auto peer = times_.find(scenario.key + "/" + comparison.peer);
    if (subject == times_.end() || peer == times_.end()) return;  // Filtered out, or it failed.

    const bool is_cost = comparison.ratio == Comparison::Ratio::cost;
    const auto& [above_name, above] = is_cost ? *subject : *peer;
    const auto& [below_name, below] = is_cost ? *peer : *subject;
    std::vector<double> ratios;
    for (std::size_t i = 0; i < std::min(above.size(), below.size()); ++i) {
        ratios.push_back(above[i] / below[i]);
    }
    const double ratio = median(ratios);

    const std::size_t prefix_size = scenario.key.size() + 1;
    const std::string sentence =
        above_name.substr(prefix_size) + " : " + below_name.substr(prefix_size);
    std::printf("  %-46s %6.2f", sentence.c_str(), ratio);
    if (comparison.goal.has_value()) {
        std::printf("  %s goal: at %s %.2f", comparison.is_reached_by(ratio) ? "✓" : "✗",
                    is_cost ? "most" : "least", *comparison.goal);
    }
    std::puts("");
}

}  // namespace bench
