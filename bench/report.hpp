// SPDX-License-Identifier: MIT
#pragma once

#include <benchmark/benchmark.h>

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace bench {

/// Two benchmarks of one scenario whose times are compared, and what the ratio should be.
struct Comparison {
    enum class Ratio {
        cost,   // The subject's time over its peer's, at most the goal.
        speed,  // The peer's time over the subject's, at least the goal.
    };

    std::string subject;
    Ratio ratio;
    std::string peer;
    std::optional<double> goal;

    [[nodiscard]] bool is_reached_by(double measured) const {
        if (!goal.has_value()) return true;
        return ratio == Ratio::cost ? measured <= *goal : measured >= *goal;
    }
};

inline Comparison cost(std::string subject, std::string peer, std::optional<double> at_most = {}) {
    return {std::move(subject), Comparison::Ratio::cost, std::move(peer), at_most};
}
inline Comparison speed(std::string subject, std::string peer,
                        std::optional<double> at_least = {}) {
    return {std::move(subject), Comparison::Ratio::speed, std::move(peer), at_least};
}

/// Benchmarks named `KEY/...`, which measure the same workload. Constructing one registers it.
struct Scenario {
    std::string key;
    std::string title;
    std::vector<Comparison> comparisons;

    Scenario(std::string scenario_key, std::string scenario_title,
             std::vector<Comparison> scenario_comparisons);
    Scenario(const Scenario&) = delete;  // The register knows its address.
    Scenario& operator=(const Scenario&) = delete;
};

/// Tells how many items a round has, so that times are reported for one item.
inline void count_items(benchmark::State& state, std::size_t items_a_round) {
    state.SetItemsProcessed(static_cast<std::int64_t>(items_a_round) * state.iterations());
}

/// Keeps the times of many short runs, one of each benchmark a sweep; prints them at the end.
///
/// The machine is never quiet. Two times of one sweep were measured within a fraction of a second,
/// so what slows one slows the other: the median of their ratios says more than the ratio of their
/// medians.
class PairedReporter : public benchmark::BenchmarkReporter {
public:
    bool ReportContext(const Context&) override { return true; }
    void ReportRuns(const std::vector<Run>& runs) override;

    /// The tables of times and of ratios. False where a benchmark failed.
    [[nodiscard]] bool print() const;

private:
    using Times = std::vector<double>;  // Nanoseconds an item, one of each sweep.

    void print_times(const Scenario& scenario) const;
    void print_ratio(const Scenario& scenario, const Comparison& comparison) const;

    std::map<std::string, Times> times_;
    std::map<std::string, std::string> errors_;
};

}  // namespace bench
