// SPDX-License-Identifier: MIT
#include <benchmark/benchmark.h>

#include "candidates.hpp"
#include "carbide/c_allocator.hpp"
#include "report.hpp"
#include "workloads.hpp"

namespace bench {
namespace {

constexpr std::size_t node_count = 1000;

template <class Candidate>
void link(benchmark::State& state) {
    Candidate candidate;
    for (auto _ : state) {
        auto* const list =
            link_nodes<Node, typename Candidate::Source>(candidate.source(), node_count);
        if (list == nullptr) state.SkipWithError("out of memory");
        benchmark::DoNotOptimize(list);
        candidate.rewind();
    }
    count_items(state, node_count);
}

// malloc has no way to free everything at once: a round ends with a walk.
template <class Source>
void link_and_free(benchmark::State& state, Source source) {
    for (auto _ : state) {
        for (Node* node = link_nodes<Node, Source>(source, node_count); node != nullptr;) {
            Node* const next = node->next;
            destroy(source, node);
            node = next;
        }
    }
    count_items(state, node_count);
}

BENCHMARK(link<Arena>)->Name("nodes/arena");
BENCHMARK(link<ArenaDirect>)->Name("nodes/arena, by its type");
BENCHMARK(link<FixedBuffer>)->Name("nodes/fixed buffer");
BENCHMARK(link<Bump>)->Name("nodes/hand-written bump");
BENCHMARK(link<Table>)->Name("nodes/bump behind the table");
BENCHMARK(link<PmrMonotonic>)->Name("nodes/pmr monotonic");
BENCHMARK_CAPTURE(link_and_free, new_delete, Malloc{})->Name("nodes/new and delete");
BENCHMARK_CAPTURE(link_and_free, c_allocator, carbide::c_allocator())->Name("nodes/CAllocator");

const Scenario scenario{
    "nodes",
    "1,000 nodes of 32 bytes a round",
    {cost("arena", "hand-written bump", 1.15), cost("fixed buffer", "hand-written bump", 1.15),
     speed("arena", "pmr monotonic", 1.4), speed("fixed buffer", "pmr monotonic", 1.4),
     speed("arena", "bump behind the table"), cost("arena, by its type", "arena"),
     cost("CAllocator", "new and delete")}};

}  // namespace
}  // namespace bench
