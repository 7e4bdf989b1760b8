// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <algorithm>
#include <thread>

#include "carbide/arena_allocator.hpp"
#include "carbide/c_allocator.hpp"
#include "carbide/null_allocator.hpp"
#include "carbide/statistics_allocator.hpp"
#include "support/child_process.hpp"
#include "support/fill_arena.hpp"
#include "support/recording_heap.hpp"

namespace carbide {
namespace {

using tests::ChildResult;
using tests::fill;
using tests::RecordingHeap;
using tests::run_in_child;
using Retain = ArenaAllocator::Retain;

constexpr std::size_t header_bytes = 32;  // Of a chunk.

TEST_CASE("arena: reset to nothing gives every chunk back") {
    StatisticsAllocator statistics({.backing = c_allocator()});
    ArenaAllocator arena({.backing = statistics.allocator()});
    fill(arena, 50'000);
    arena.reset(Retain::nothing);
    CHECK(statistics.live_count() == 0);
    CHECK(arena.capacity_bytes() == 0);
    CHECK(arena.used_bytes() == 0);
    CHECK(arena.is_valid());
    fill(arena, 10'000);
}

TEST_CASE("arena: reset to its capacity keeps all of it as one chunk") {
    StatisticsAllocator statistics({.backing = c_allocator()});
    ArenaAllocator arena({.backing = statistics.allocator()});
    fill(arena, 50'000);
    const std::size_t capacity_bytes = arena.capacity_bytes();
    CHECK(statistics.live_count() > 1);
    arena.reset(Retain::capacity);
    CHECK(statistics.live_count() == 1);
    CHECK(arena.capacity_bytes() == capacity_bytes);
    CHECK(arena.used_bytes() == 0);
    fill(arena, capacity_bytes - header_bytes);
    CHECK(arena.capacity_bytes() == capacity_bytes);
}

TEST_CASE("arena: reset_retaining keeps no more than it is told") {
    for (const std::size_t bytes_max : {0UL, 31UL, 32UL, 100UL, 4096UL, 10'001UL, 70'000UL}) {
        StatisticsAllocator statistics({.backing = c_allocator()});
        ArenaAllocator arena({.backing = statistics.allocator()});
        fill(arena, 50'000);
        arena.reset_retaining(bytes_max);
        CHECK(arena.is_valid());
        CHECK(arena.used_bytes() == 0);
        CHECK(arena.capacity_bytes() <= bytes_max);
        if (bytes_max >= 64) CHECK(arena.capacity_bytes() > std::min(bytes_max, 50'000UL) - 16);
        CHECK(statistics.statistics().current_bytes == arena.capacity_bytes());
    }
}

TEST_CASE("arena: a reset that the backing cannot serve leaves an empty arena that works") {
    RecordingHeap backing;
    ArenaAllocator arena({.backing = backing.allocator()});
    fill(arena, 50'000);
    backing.can_alloc = false;
    arena.reset(Retain::capacity);
    CHECK(arena.is_valid());
    CHECK(arena.used_bytes() == 0);
    backing.can_alloc = true;
    fill(arena, 50'000);
    CHECK(backing.mistake.empty());
}

TEST_CASE("arena: a steady workload stops calling the backing after the second round") {
    for (const Retain retain : {Retain::capacity, Retain::recent_rounds}) {
        // Chunks far smaller than the need, and needs that are odd multiples of 8.
        for (const std::size_t used_bytes : {1000UL, 4064UL, 20'008UL, 500'008UL}) {
            RecordingHeap backing;
            ArenaAllocator arena(
                {.backing = backing.allocator(), .first_chunk_bytes = 256, .growth_percent = 100});
            for (int round = 0; round < 2; ++round) {
                fill(arena, used_bytes);
                arena.reset(retain);
            }
            const std::size_t call_count = backing.call_count();
            for (int round = 0; round < 20; ++round) {
                fill(arena, used_bytes);
                arena.reset(retain);
            }
            CHECK(backing.call_count() == call_count);
        }
    }
}

TEST_CASE("arena: one worst round does not hold its memory for ever") {
    ArenaAllocator arena({.backing = c_allocator()});
    for (int round = 0; round < 8; ++round) {
        fill(arena, 1000);
        arena.reset(Retain::recent_rounds);
    }
    fill(arena, 1'000'000);
    CHECK(arena.capacity_bytes() > 1'000'000);
    arena.reset(Retain::recent_rounds);
    CHECK(arena.capacity_bytes() <= 2 * (header_bytes + 1008));
    CHECK(arena.capacity_bytes() >= header_bytes + 1000);
}

TEST_CASE("arena: recent rounds keep what retain_percent of them needed, for eight rounds") {
    ArenaAllocator arena({.backing = c_allocator(), .retain_percent = 100});
    fill(arena, 100'000);
    for (int round = 0; round < 8; ++round) {
        arena.reset(Retain::recent_rounds);
        CHECK(arena.capacity_bytes() >= header_bytes + 100'000);
        fill(arena, 104);
    }
    arena.reset(Retain::recent_rounds);
    CHECK(arena.capacity_bytes() <= 2 * (header_bytes + 112));
}

TEST_CASE("arena: what a rewound scope needed counts as needed in the round") {
    ArenaAllocator arena({.backing = c_allocator()});
    {
        const auto scope = arena.scope();
        fill(arena, 100'000);
    }
    arena.reset(Retain::recent_rounds);
    CHECK(arena.capacity_bytes() >= header_bytes + 100'000);
}

TEST_CASE("arena: chunks that shrink from one to the next stop the program") {
    const ChildResult child = run_in_child(
        [] { const ArenaAllocator arena({.backing = null_allocator(), .growth_percent = 99}); });
    CHECK(child.trapped());
    CHECK(child.wrote("carbide: an arena's growth_percent is below 100"));
}

TEST_CASE("arena: another thread may use it after a reset") {
    ArenaAllocator arena({.backing = c_allocator()});
    fill(arena, 104);
    arena.reset();
    std::thread([&] { fill(arena, 104); }).join();
    CHECK(arena.used_bytes() == 104);
}

}  // namespace
}  // namespace carbide
