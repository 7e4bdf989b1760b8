// SPDX-License-Identifier: MIT
#include <cstdio>

#include "carbide/arena_allocator.hpp"
#include "carbide/c_allocator.hpp"
#include "carbide/pool_allocator.hpp"
#include "carbide/statistics_allocator.hpp"
#include "node_list/node_list.hpp"

namespace {

constexpr int node_count = 1000;

bool fill(examples::NodeList& list) {
    for (int value = 0; value < node_count; ++value) {
        if (!list.push_front(value)) return false;
    }
    return true;
}

void print(const char* title, const carbide::StatisticsAllocator& malloc_calls) {
    const carbide::Statistics statistics = malloc_calls.statistics();
    std::printf("%-8s malloc was called %4zu times, %zu left\n", title, statistics.alloc_count,
                statistics.live_count());
}

void on_malloc() {
    carbide::StatisticsAllocator statistics({.backing = carbide::c_allocator()});
    {
        examples::NodeList list(statistics.allocator());
        if (!fill(list)) std::puts("out of memory");
    }
    print("malloc", statistics);
}

void on_pool() {
    carbide::StatisticsAllocator statistics({.backing = carbide::c_allocator()});
    {
        carbide::PoolAllocator<examples::Node> pool({.backing = statistics.allocator()});
        examples::NodeList list(pool.allocator());
        if (!fill(list)) std::puts("out of memory");
    }
    print("pool", statistics);
}

void on_arena() {
    carbide::StatisticsAllocator statistics({.backing = carbide::c_allocator()});
    {
        carbide::ArenaAllocator arena({.backing = statistics.allocator()});
        // The list lies in the arena, too, so that nobody runs its destructor: a thousand calls of
        // destroy are saved.
        auto* const list = arena.must_create<examples::NodeList>(arena.allocator());
        // NOLINTNEXTLINE(clang-analyzer-unix.Malloc): the analyzer knows nothing of arenas.
        if (!fill(*list)) std::puts("out of memory");
    }
    print("arena", statistics);
}

}  // namespace

int main() {
    on_malloc();
    on_pool();
    on_arena();
}
