// SPDX-License-Identifier: MIT
#include <benchmark/benchmark.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <vector>

#include "carbide/c_allocator.hpp"
#include "carbide/pool_allocator.hpp"
#include "report.hpp"
#include "sources.hpp"
#include "workloads.hpp"

namespace bench {
namespace {

constexpr std::size_t node_count = 1000;

const std::vector<std::uint32_t>& shuffled_order() {
    static const std::vector<std::uint32_t> order = [] {
        std::vector<std::uint32_t> made(node_count);
        std::iota(made.begin(), made.end(), 0U);
        std::shuffle(made.begin(), made.end(), std::minstd_rand(1));
        return made;
    }();
    return order;
}

template <class Source>
void churn(benchmark::State& state, Source source) {
    std::vector<Node*> nodes;
    nodes.reserve(node_count);
    for (std::size_t i = 0; i < node_count; ++i) {
        nodes.push_back(create<Node>(source, nullptr, nullptr, std::int64_t{0}, 0, 0));
    }
    for (auto _ : state) {
        replace_nodes<Source>(source, nodes, shuffled_order());
        benchmark::ClobberMemory();
    }
    for (Node* const node : nodes) destroy(source, node);
    count_items(state, node_count);
}

using Pool = carbide::PoolAllocator<Node>;

void churn_pool(benchmark::State& state) {
    Pool pool({.backing = carbide::c_allocator()});
    churn<carbide::Allocator>(state, pool.allocator());
}

void churn_pool_direct(benchmark::State& state) {
    Pool pool({.backing = carbide::c_allocator()});
    churn<Pool&>(state, pool);
}

void churn_pmr_pool(benchmark::State& state) {
    std::pmr::unsynchronized_pool_resource pool;
    churn<std::pmr::memory_resource&>(state, pool);
}

void churn_malloc(benchmark::State& state) { churn<Malloc>(state, {}); }

BENCHMARK(churn_pool)->Name("churn/pool");
BENCHMARK(churn_pool_direct)->Name("churn/pool, by its type");
BENCHMARK(churn_pmr_pool)->Name("churn/pmr pool");
BENCHMARK(churn_malloc)->Name("churn/new and delete");

const Scenario scenario{"churn",
                        "1,000 nodes of 32 bytes, each replaced in random order",
                        {speed("pool", "pmr pool"), speed("pool", "new and delete"),
                         speed("pool, by its type", "new and delete")}};

}  // namespace
}  // namespace bench
