// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <ostream>

#include "anti_patterns/forgotten_errdefer.hpp"
#include "anti_patterns/hidden_allocation.hpp"
#include "carbide/arena_allocator.hpp"
#include "carbide/c_allocator.hpp"
#include "carbide/failing_allocator.hpp"
#include "carbide/null_allocator.hpp"
#include "carbide/statistics_allocator.hpp"

namespace {

/// An allocator whose n-th request fails; what leaks on purpose is not lost to the tests.
struct Memory {
    explicit Memory(std::size_t alloc_index)
        : failing({.backing = statistics.allocator(), .alloc_index = alloc_index}) {}

    carbide::Allocator allocator() noexcept { return failing.allocator(); }

    carbide::ArenaAllocator arena{{.backing = carbide::c_allocator()}};
    carbide::StatisticsAllocator statistics{{.backing = arena.allocator()}};
    carbide::FailingAllocator failing;
};

}  // namespace

// [snippet:hidden_allocation_test]
TEST_CASE("example anti_patterns: a hidden allocation succeeds where there is no memory") {
    CHECK(examples::start_hidden(carbide::null_allocator()).has_value());  // The anti-pattern.
    CHECK(examples::start(carbide::null_allocator()).error() == carbide::OutOfMemory{});
}
// [/snippet:hidden_allocation_test]

TEST_CASE("example anti_patterns: a hidden allocation is missing from the statistics") {
    carbide::StatisticsAllocator statistics({.backing = carbide::c_allocator()});
    const auto hidden = examples::start_hidden(statistics.allocator());
    REQUIRE(hidden.has_value());
    CHECK(hidden->text.size() == 7);
    CHECK(statistics.live_count() == 0);  // The anti-pattern.

    const auto open = examples::start(statistics.allocator());
    REQUIRE(open.has_value());
    CHECK(statistics.live_count() == 1);
}

// [snippet:errdefer_test]
TEST_CASE("example anti_patterns: a forgotten errdefer leaks when the second allocation fails") {
    Memory memory(1);
    CHECK(!examples::init_leaking(memory.allocator()).has_value());
    CHECK(memory.statistics.live_count() == 1);  // The anti-pattern.
}
// [/snippet:errdefer_test]

TEST_CASE("example anti_patterns: with errdefer or owners nothing leaks, whichever fails") {
    for (const std::size_t index : {0U, 1U}) {
        Memory memory(index);
        CHECK(!examples::init(memory.allocator()).has_value());
        CHECK(memory.statistics.live_count() == 0);
        memory.failing.rearm({.alloc_index = index});
        CHECK(!examples::OwnedPair::create(memory.allocator()).has_value());
        CHECK(memory.statistics.live_count() == 0);
    }
}

TEST_CASE("example anti_patterns: on success errdefer frees nothing") {
    Memory memory(carbide::FailingAllocator::never);
    const auto pair = examples::init(memory.allocator());
    REQUIRE(pair.has_value());
    CHECK(memory.statistics.live_count() == 2);
    pair->deinit(memory.allocator());
    CHECK(memory.statistics.live_count() == 0);

    const auto leaking = examples::init_leaking(memory.allocator());
    REQUIRE(leaking.has_value());  // Why nobody notices.
    leaking->deinit(memory.allocator());
    CHECK(memory.statistics.live_count() == 0);
}
