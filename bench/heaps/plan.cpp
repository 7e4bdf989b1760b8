// SPDX-License-Identifier: MIT
#include "plan.hpp"

#include <algorithm>
#include <fstream>
#include <thread>

namespace bench::heaps {
namespace {

enum class Threads { one, cores, cores_and_four_times };

struct Workload {
    const char* name;
    const char* description;
    Threads threads;
    std::uint64_t operation_count;
    Goals goals;
    std::size_t needed_bytes = 0;
};

constexpr Goals constant_size_goals{0.4, 0.4};
constexpr Goals replace_goals{0.8, 0.6};
constexpr Goals threaded_goals{0.9, 0.9};

const Workload workloads[] = {
    {"pairs", "16 blocks of 64 bytes and back", Threads::one, 20'000'000, constant_size_goals},
    {"nodes", "1,000 nodes of 32 bytes and back", Threads::one, 20'000'000, constant_size_goals},
    {"replace-10k", "10,000 live blocks of 16 to 16 K bytes a thread, replaced at random",
     Threads::cores_and_four_times, 3'000'000, replace_goals},
    {"replace-1m", "1,000,000 live blocks of 16 to 16 K bytes, replaced at random", Threads::one,
     2'000'000, replace_goals, std::size_t{11} << 30},
    {"producer-consumer", "16 to 1 K bytes, allocated by one thread, freed by another",
     Threads::cores, 5'000'000, threaded_goals},
    {"larson", "16 to 1 K bytes, 1,000 live a thread, handed to a new thread every 10,000",
     Threads::cores, 3'000'000, threaded_goals},
    {"asymmetric",
     "90 % to 256 bytes, 9 % to 8 K, 1 % to 512 K, the larger ones first in first out",
     Threads::one,
     1'000'000,
     {}},
    {"peak",
     "1 GiB of such sizes, then all freed in random order",
     Threads::one,
     345'000,
     {},
     std::size_t{2} << 30},
    {"trace", "what jq allocated", Threads::one, 4'000'000, {}},
};

unsigned cores() { return std::max(std::thread::hardware_concurrency(), 1U); }

bool is_chosen(const Workload& workload, const PlanOptions& options) {
    const auto& names = options.workloads;
    return names.empty() || std::find(names.begin(), names.end(), workload.name) != names.end();
}

std::vector<unsigned> thread_counts(const Workload& workload, const PlanOptions& options) {
    if (workload.threads == Threads::one) return {1};
    if (!options.thread_counts.empty()) return options.thread_counts;
    const unsigned core_count = std::max(cores(), 2U);
    if (workload.threads == Threads::cores) return {core_count};
    return {1, core_count, 4 * core_count};
}

Run run_of(const Workload& workload, unsigned thread_count, bool quick) {
    // One thread cannot pass blocks to another.
    if (workload.name == std::string("producer-consumer")) {
        thread_count = std::max(thread_count / 2 * 2, 2U);
    }
    return {workload.name,
            workload.description,
            thread_count,
            quick ? workload.operation_count / 20 : workload.operation_count,
            thread_count == 1 ? workload.goals : threaded_goals,
            workload.needed_bytes};
}

}  // namespace

std::vector<std::string> workload_names() {
    std::vector<std::string> names;
    for (const Workload& workload : workloads) names.emplace_back(workload.name);
    return names;
}

std::vector<Run> plan_runs(const PlanOptions& options) {
    std::vector<Run> runs;
    for (const Workload& workload : workloads) {
        if (!is_chosen(workload, options)) continue;
        for (const unsigned thread_count : thread_counts(workload, options)) {
            runs.push_back(run_of(workload, thread_count, options.quick));
        }
    }
    return runs;
}

std::vector<Run> plan_scaling(const PlanOptions& options) {
    PlanOptions chosen = options;
    if (chosen.workloads.empty()) chosen.workloads = {"replace-10k", "larson"};
    if (chosen.thread_counts.empty()) {
        for (unsigned count = 1; count <= 2 * cores(); count *= 2) {
            chosen.thread_counts.push_back(count);
        }
    }
    return plan_runs(chosen);
}

std::size_t available_bytes() {
    std::ifstream file("/proc/meminfo");
    std::string label;
    std::size_t kib = 0;
    std::string unit;
    while (file >> label >> kib) {
        if (label == "MemAvailable:") return kib << 10;
        std::getline(file, unit);
    }
    return SIZE_MAX;
}

}  // namespace bench::heaps
