// SPDX-License-Identifier: MIT
#include "node_list/node_list.hpp"

#include <doctest/doctest.h>

#include <ostream>

#include "carbide/arena_allocator.hpp"
#include "carbide/c_allocator.hpp"
#include "carbide/failing_allocator.hpp"
#include "carbide/pool_allocator.hpp"
#include "carbide/statistics_allocator.hpp"

using examples::Node;
using examples::NodeList;

namespace {

int count(const NodeList& list) {
    int nodes = 0;
    for (const Node* node = list.first(); node != nullptr; node = node->next) ++nodes;
    return nodes;
}

void fill(NodeList& list, int node_count) {
    for (int value = 0; value < node_count; ++value) REQUIRE(list.push_front(value).has_value());
}

}  // namespace

TEST_CASE("example node_list: destroying a node frees it and leaves those behind it alone") {
    carbide::StatisticsAllocator statistics({.backing = carbide::c_allocator()});
    const auto first = Node::create(statistics.allocator(), 1);
    const auto second = Node::create(statistics.allocator(), 2);
    REQUIRE(first.has_value());
    REQUIRE(second.has_value());
    (*first)->next = *second;
    (*first)->destroy();
    CHECK(statistics.live_count() == 1);
    CHECK((*second)->value == 2);
    (*second)->destroy();
    CHECK(statistics.live_count() == 0);
}

TEST_CASE("example node_list: the list frees every node, when cleared and when it ends") {
    carbide::StatisticsAllocator statistics({.backing = carbide::c_allocator()});
    {
        NodeList list(statistics.allocator());
        fill(list, 10);
        CHECK(list.first()->value == 9);
        CHECK(count(list) == 10);
        list.clear();
        CHECK(list.first() == nullptr);
        CHECK(statistics.live_count() == 0);
        fill(list, 5);
    }
    CHECK(statistics.live_count() == 0);
    CHECK(statistics.statistics().free_count == 15);
}

TEST_CASE("example node_list: a push that fails leaves the list as it was") {
    carbide::FailingAllocator failing({.backing = carbide::c_allocator(), .alloc_index = 2});
    NodeList list(failing.allocator());
    fill(list, 2);
    CHECK(list.push_front(2).error() == carbide::OutOfMemory{});
    CHECK(count(list) == 2);
    CHECK(list.first()->value == 1);
    CHECK(list.push_front(2).has_value());
}

TEST_CASE("example node_list: a pool gives the nodes' memory to the next ones") {
    carbide::PoolAllocator<Node> pool({.backing = carbide::c_allocator()});
    NodeList list(pool.allocator());
    fill(list, 100);
    const std::size_t capacity_count = pool.capacity_count();
    list.clear();
    CHECK(pool.live_count() == 0);
    fill(list, 100);
    CHECK(pool.capacity_count() == capacity_count);
}

TEST_CASE("example node_list: a list that lies in an arena goes with it, nodes and all") {
    carbide::StatisticsAllocator statistics({.backing = carbide::c_allocator()});
    {
        carbide::ArenaAllocator arena({.backing = statistics.allocator()});
        carbide::StatisticsAllocator nodes({.backing = arena.allocator()});
        auto* const list = arena.must_create<NodeList>(nodes.allocator());
        fill(*list, 1000);
        CHECK(nodes.live_count() == 1000);
    }
    CHECK(statistics.live_count() == 0);
}
