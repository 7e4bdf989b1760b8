// SPDX-License-Identifier: MIT
#include <benchmark/benchmark.h>

#include "candidates.hpp"
#include "report.hpp"
#include "workloads.hpp"

namespace bench {
namespace {

constexpr std::size_t node_count = 1000;

template <class T, class Candidate>
void link(benchmark::State& state) {
    Candidate candidate;
    for (auto _ : state) {
        auto* const list =
            link_nodes<T, typename Candidate::Source>(candidate.source(), node_count);
        if (list == nullptr) state.SkipWithError("out of memory");
        benchmark::DoNotOptimize(list);
        candidate.rewind();
    }
    count_items(state, node_count);
}

template <class T, class Candidate>
void link_tagged(benchmark::State& state) {
    Candidate candidate;
    for (auto _ : state) {
        auto* const list =
            link_tagged_nodes<T, typename Candidate::Source>(candidate.source(), node_count);
        if (list == nullptr) state.SkipWithError("out of memory");
        benchmark::DoNotOptimize(list);
        candidate.rewind();
    }
    count_items(state, 2 * node_count);
}

using Node16 = AlignedNode<16>;
using Node64 = AlignedNode<64>;

BENCHMARK(link<Node16, Arena>)->Name("aligned to 16/arena");
BENCHMARK(link<Node16, Bump>)->Name("aligned to 16/hand-written bump");
BENCHMARK(link<Node16, PmrMonotonic>)->Name("aligned to 16/pmr monotonic");
BENCHMARK(link<Node64, Arena>)->Name("aligned to 64/arena");
BENCHMARK(link<Node64, Bump>)->Name("aligned to 64/hand-written bump");
BENCHMARK(link<Node64, PmrMonotonic>)->Name("aligned to 64/pmr monotonic");
BENCHMARK(link_tagged<Node16, Arena>)->Name("padded to 16/arena");
BENCHMARK(link_tagged<Node16, Bump>)->Name("padded to 16/hand-written bump");
BENCHMARK(link_tagged<Node16, PmrMonotonic>)->Name("padded to 16/pmr monotonic");

const Scenario aligned16{"aligned to 16",
                         "1,000 nodes of 32 bytes aligned to 16 a round",
                         {cost("arena", "hand-written bump"), speed("arena", "pmr monotonic")}};
const Scenario aligned64{"aligned to 64",
                         "1,000 nodes of 64 bytes aligned to 64 a round",
                         {cost("arena", "hand-written bump"), speed("arena", "pmr monotonic")}};
const Scenario padded16{"padded to 16",
                        "the same aligned to 16, each behind a tag of 8 bytes",
                        {cost("arena", "hand-written bump"), speed("arena", "pmr monotonic")}};

}  // namespace
}  // namespace bench
