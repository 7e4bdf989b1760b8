// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace bench::heaps {

/// What Carbide's time may be at most, of the best peer's.
struct Goals {
    std::optional<double> handle;
    std::optional<double> known;
};

/// A workload on a number of threads: one table.
struct Run {
    std::string workload;
    std::string description;
    unsigned thread_count;
    std::uint64_t operation_count;  // A thread, or a pair of them.
    Goals goals;
    std::size_t needed_bytes;  // Of memory; 0: little.
};

struct PlanOptions {
    std::vector<std::string> workloads;   // Empty: all.
    std::vector<unsigned> thread_counts;  // For those with threads. Empty: as the plan says.
    bool quick = false;
};

inline constexpr double resident_goal = 1.1;                     // Of the best peer.
inline constexpr std::size_t settled_goal_bytes = 16ULL << 20U;  // A second after a peak.

[[nodiscard]] std::vector<std::string> workload_names();
[[nodiscard]] std::vector<Run> plan_runs(const PlanOptions& options);

/// 1, 2, 4, ... threads, up to twice as many as cores.
[[nodiscard]] std::vector<Run> plan_scaling(const PlanOptions& options);

/// What can be allocated without swapping, as the kernel estimates it.
[[nodiscard]] std::size_t available_bytes();

}  // namespace bench::heaps
