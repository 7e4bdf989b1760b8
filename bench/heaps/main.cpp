// SPDX-License-Identifier: MIT
// `./dev bench heaps`: the thread caching allocator beside other allocators, one process for each
// measurement, alternated in one run.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "candidates.hpp"
#include "plan.hpp"
#include "process.hpp"
#include "report.hpp"
#include "results.hpp"

namespace {

using namespace bench::heaps;

struct Arguments {
    PlanOptions plan;
    std::vector<std::string> only;
    unsigned round_count = 7;
    std::string worker;
    std::string trace = CARBIDE_HEAP_BENCH_TRACE;
    bool cpu_time = false;
    bool json = false;
    bool scaling = false;
};

void show_progress(const std::string& text) {
    if (isatty(STDERR_FILENO) != 0) fmt::print(stderr, "\r\033[K{}", text);
}

// Nothing where the worker failed, after saying so.
std::optional<Sample> measure(const Arguments& arguments, const Run& run,
                              const Candidate& candidate, unsigned round) {
    const Outcome outcome =
        bench::heaps::run({candidate.worker, "--allocator", candidate.interface, "--workload",
                           run.workload, "--threads", std::to_string(run.thread_count),
                           "--operations", std::to_string(run.operation_count), "--seed",
                           std::to_string(round * 1000 + 1), "--trace", arguments.trace},
                          candidate.preload);
    const std::optional<Sample> sample =
        outcome.status == 0 ? parse_sample(outcome.output, arguments.cpu_time ? "cpu_ns" : "ns")
                            : std::nullopt;
    if (!sample.has_value()) {
        show_progress("");
        fmt::print(stderr, "carbide: {} ({}) failed in {} with status {}: {}\n", candidate.peer,
                   candidate.interface, run.workload, outcome.status, outcome.output);
    }
    return sample;
}

// Every round takes all candidates, each time starting with another one.
Result measure_all(const Arguments& arguments, const Run& run, const Candidates& candidates,
                   bool& has_failed) {
    Result result{run, {}, {}};
    if (const std::size_t here = available_bytes(); run.needed_bytes > here) {
        result.skipped = fmt::format("it needs {} GiB of memory, and {} are available",
                                     run.needed_bytes >> 30, here >> 30);
        return result;
    }
    for (const Candidate& candidate : candidates.all) result.all.push_back({candidate, {}});
    const std::size_t count = result.all.size();
    for (unsigned round = 0; round < arguments.round_count; ++round) {
        for (std::size_t i = 0; i < count; ++i) {
            Series& series = result.all[(i + round) % count];
            show_progress(fmt::format("  {}, {} threads: round {} of {}, {}", run.workload,
                                      run.thread_count, round + 1, arguments.round_count,
                                      series.candidate.peer));
            const auto sample = measure(arguments, run, series.candidate, round);
            if (sample.has_value()) series.samples.push_back(*sample);
            has_failed |= !sample.has_value();
        }
    }
    // One without a time for each round would be compared with other rounds of its peers.
    std::erase_if(result.all, [&](const Series& series) {
        return series.samples.size() != arguments.round_count;
    });
    show_progress("");
    return result;
}

void add_options(CLI::App& app, Arguments& arguments) {
    app.add_option("--workload", arguments.plan.workloads, "Only these")
        ->delimiter(',')
        ->check(CLI::IsMember(workload_names()));
    app.add_option("--threads", arguments.plan.thread_counts,
                   "Threads of the workloads that have some, as a list")
        ->delimiter(',')
        ->check(CLI::Range(1, 256));
    app.add_option("--only", arguments.only,
                   "Only these allocators; `hardened` is measured only where it is named")
        ->delimiter(',')
        ->check(CLI::IsMember(
            {"glibc", "jemalloc", "tcmalloc", "mimalloc", "zig", "handle", "known", "hardened"}));
    app.add_option("--rounds", arguments.round_count, "Rounds; medians are printed")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    app.add_option("--trace", arguments.trace, "What the workload `trace` replays")
        ->check(CLI::ExistingFile);
    app.add_flag("--quick", arguments.plan.quick, "A twentieth of the operations");
    app.add_flag("--cpu-time", arguments.cpu_time,
                 "Compare processor time, for a machine that is not idle; waiting is free then");
    app.add_flag("--scaling", arguments.scaling, "1, 2, 4, ... threads, up to twice the cores");
    app.add_flag("--json", arguments.json, "JSON instead of tables");
}

}  // namespace

int main(int argc, char** argv) {
    Arguments arguments;
    arguments.worker = std::string(argv[0]) + "_worker";
    CLI::App app{"Carbide's thread caching allocator beside other allocators."};
    add_options(app, arguments);
    CLI11_PARSE(app, argc, argv);

    const Candidates candidates = find_candidates(arguments.worker, arguments.only);
    for (const std::string& line : candidates.left_out) fmt::print(stderr, "{}\n", line);
    if (candidates.all.empty()) {
        fmt::print(stderr, "carbide: none of the allocators is here\n");
        return 2;
    }
    const std::vector<Run> runs =
        arguments.scaling ? plan_scaling(arguments.plan) : plan_runs(arguments.plan);
    const bool prints_tables = !arguments.json && !arguments.scaling;
    if (prints_tables) {
        fmt::print("medians of {} rounds of {}; ratios to the best of the peers; resident memory\n",
                   arguments.round_count, arguments.cpu_time ? "processor time" : "time");
    }
    bool has_failed = false;
    Tally tally;
    std::vector<Result> results;
    for (const Run& run : runs) {
        results.push_back(measure_all(arguments, run, candidates, has_failed));
        if (prints_tables) print_table(results.back(), tally);
        std::fflush(stdout);
    }
    if (arguments.json) {
        fmt::print("{}", to_json(results));
    } else if (arguments.scaling) {
        print_scaling(results);
    } else {
        fmt::print("\n{} of {} goals reached\n", tally.reached, tally.total);
    }
    return has_failed ? 1 : 0;
}
