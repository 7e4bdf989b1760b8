// SPDX-License-Identifier: MIT
// `./dev bench debug`: what checking costs, option by option, beside glibc's malloc in the same
// run.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "carbide/debug_allocator.hpp"
#include "replace_blocks.hpp"

namespace {

using carbide::DebugAllocator;
using Options = DebugAllocator::Options;

struct Candidate {
    const char* name;
    Options options;
    std::optional<double> goal = {};  // The most that its time may be of malloc's.
};

// Everything off that has a default in checked builds, so that a line costs what it names.
Options bare(unsigned stack_frame_count = 8) {
    return {.stack_frame_count = stack_frame_count,
            .fill_allocated = std::nullopt,
            .fill_freed = std::nullopt,
            .quarantine_bytes = 0};
}

std::vector<Candidate> candidates() {
    std::vector<Candidate> all;
    const auto add = [&](const char* name, unsigned frame_count, auto change,
                         std::optional<double> goal = {}) {
        Candidate candidate{name, bare(frame_count), goal};
        change(candidate.options);
        all.push_back(candidate);
    };
    const auto nothing = [](Options&) {};
    add("pads, no stacks", 0, nothing, 0.8);
#ifdef CARBIDE_BENCH_FRAME_POINTERS
    add("pads, 8 frames", 8, nothing, 1.0);
#else
    add("pads, 8 frames", 8, nothing, 1.5);
#endif
    add("8 frames, no pads", 8, [](Options& o) { o.pad_before_bytes = o.pad_after_bytes = 0; });
    add("16 frames", 16, nothing);
    add("8 frames, one owner", 8, [](Options& o) { o.thread_safe = false; });
    add("8 frames, limit", 8, [](Options& o) { o.limit_bytes = SIZE_MAX / 2; });
    add("8 frames, pads of 64 bytes", 8,
        [](Options& o) { o.pad_before_bytes = o.pad_after_bytes = 64; });
    add("8 frames, new memory filled", 8, [](Options& o) { o.fill_allocated = 0xAA; });
    add("8 frames, freed memory filled", 8, [](Options& o) { o.fill_freed = 0xAA; });
    add("8 frames, filled, 1 MiB quarantine", 8, [](Options& o) {
        o.fill_freed = 0xAA;
        o.quarantine_bytes = std::size_t{1} << 20;
    });
    add("8 frames, never unmap", 8, [](Options& o) { o.never_unmap = true; });
    add("8 frames, metadata retained", 8, [](Options& o) { o.retain_metadata = true; });
    add("8 frames, guard behind", 8, [](Options& o) { o.guard = DebugAllocator::Guard::behind; });
    return all;
}

struct Arguments {
    unsigned thread_count = 1;
    unsigned round_count = 9;
    unsigned operation_count = 200'000;
};

// The mean of all threads, each with blocks of its own.
double on_threads(unsigned thread_count, const std::function<double(unsigned)>& measure) {
    if (thread_count == 1) return measure(1);
    std::vector<double> times_ns(thread_count);
    {
        std::vector<std::jthread> threads;
        for (unsigned i = 0; i < thread_count; ++i) {
            threads.emplace_back([&, i] { times_ns[i] = measure(i + 1); });
        }
    }
    double sum_ns = 0;
    for (const double time_ns : times_ns) sum_ns += time_ns;
    return sum_ns / thread_count;
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

struct Times {
    std::vector<double> subject_ns;
    std::vector<double> ratios;
};

void measure_round(const Arguments& arguments, unsigned round, const Candidate& candidate,
                   Times& times, std::vector<double>& malloc_ns) {
    const unsigned count = candidate.options.guard == DebugAllocator::Guard::off
                               ? arguments.operation_count
                               : arguments.operation_count / 20;  // System calls.
    const double peer_ns = on_threads(arguments.thread_count, [&](unsigned seed) {
        return bench::replace_blocks(bench::MallocSource{}, seed + round,
                                     arguments.operation_count);
    });
    DebugAllocator debug(candidate.options);
    const double subject_ns = on_threads(arguments.thread_count, [&](unsigned seed) {
        return bench::replace_blocks(bench::CarbideSource{debug.allocator()}, seed + round, count);
    });
    times.subject_ns.push_back(subject_ns);
    times.ratios.push_back(subject_ns / peer_ns);
    malloc_ns.push_back(peer_ns);
}

}  // namespace

int main(int argc, char** argv) {
    Arguments arguments;
    CLI::App app{"What Carbide's debug allocator costs, option by option."};
    app.add_option("--threads", arguments.thread_count, "Threads, each with 10,000 blocks")
        ->check(CLI::Range(1, 256))
        ->capture_default_str();
    app.add_option("--rounds", arguments.round_count, "Rounds; medians are printed")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    app.add_option("--operations", arguments.operation_count, "Operations a round and thread")
        ->check(CLI::Range(1000, 100'000'000))
        ->capture_default_str();
    CLI11_PARSE(app, argc, argv);

    std::vector<Candidate> all = candidates();
    if (arguments.thread_count > 1) {
        // Guarded, the blocks of several threads take more mappings than the kernel allows.
        std::erase_if(all, [](const Candidate& candidate) {
            return !candidate.options.thread_safe ||
                   candidate.options.guard != DebugAllocator::Guard::off;
        });
    }
    std::vector<Times> times(all.size());
    std::vector<double> malloc_ns;
    for (unsigned round = 0; round < arguments.round_count; ++round) {
        for (std::size_t i = 0; i < all.size(); ++i) {
            measure_round(arguments, round, all[i], times[i], malloc_ns);
        }
    }

    std::printf("10,000 blocks of 16 to 16 K bytes a thread, replaced at random; %u thread%s, %s\n",
                arguments.thread_count, arguments.thread_count == 1 ? "" : "s",
#ifdef CARBIDE_BENCH_FRAME_POINTERS
                "frame pointers");
#else
                "no frame pointers");
#endif
    std::printf("  %-38s %9s %9s\n", "median of the rounds", "ns", ": malloc");
    std::printf("  %-38s %9.1f %9.2f\n", "glibc malloc", median(malloc_ns), 1.0);
    for (std::size_t i = 0; i < all.size(); ++i) {
        const double ratio = median(times[i].ratios);
        std::printf("  %-38s %9.1f %9.2f", all[i].name, median(times[i].subject_ns), ratio);
        if (all[i].goal.has_value()) {
            std::printf("  %s goal: at most %.1f", ratio <= *all[i].goal ? "✓" : "✗", *all[i].goal);
        }
        std::puts("");
    }
    return 0;
}
