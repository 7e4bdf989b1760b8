// SPDX-License-Identifier: MIT
// Out of memory at every request that the library's own allocators and owners make of a backing.
#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "carbide/arena_allocator.hpp"
#include "carbide/debug_allocator.hpp"
#include "carbide/limit_allocator.hpp"
#include "carbide/locked_allocator.hpp"
#include "carbide/logging_allocator.hpp"
#include "carbide/owned.hpp"
#include "carbide/owned_slice.hpp"
#include "carbide/pool_allocator.hpp"
#include "carbide/stack_fallback_allocator.hpp"
#include "carbide/statistics_allocator.hpp"
#include "carbide/testing/allocation_failures.hpp"
#include "carbide/try.hpp"
#include "support/sweep_passes.hpp"

namespace carbide {
namespace {

using testing::check_all_allocation_failures;
using testing::check_strong_guarantee;
using tests::passes;

// Small chunks, so that a few allocations need several.
ArenaAllocator::Options small_chunks(Allocator backing) {
    return {.backing = backing, .first_chunk_bytes = 128};
}

// Allocations of 40, 80, ... bytes. What they hold tells whether one was given twice.
Result<void> fill(Allocator allocator, std::size_t count) {
    for (std::size_t number = 1; number <= count; ++number) {
        const auto bytes = CARBIDE_TRY(allocator.alloc<unsigned char>(40 * number));
        for (unsigned char& byte : bytes) byte = static_cast<unsigned char>(number);
    }
    return {};
}

TEST_CASE("sweep of the arena: chunks, scopes and resets give everything back") {
    CHECK(passes(check_all_allocation_failures([](Allocator backing) -> Result<std::size_t> {
        ArenaAllocator arena(small_chunks(backing));
        CARBIDE_TRY(fill(arena.allocator(), 6));
        {
            const auto scope = arena.scope();
            CARBIDE_TRY(fill(arena.allocator(), 12));
        }
        CARBIDE_TRY(fill(arena.allocator(), 9));  // From the spare chunk.
        arena.reset();
        CARBIDE_TRY(fill(arena.allocator(), 14));
        return arena.used_bytes() / std::size_t{1000};
    })));
}

TEST_CASE("sweep of the arena: every reset leaves it valid, whatever failed before or in it") {
    CHECK(passes(check_all_allocation_failures([](Allocator backing) -> Result<void> {
        ArenaAllocator arena(small_chunks(backing));
        for (const auto retain :
             {ArenaAllocator::Retain::capacity, ArenaAllocator::Retain::recent_rounds,
              ArenaAllocator::Retain::nothing, ArenaAllocator::Retain::capacity}) {
            const auto filled = fill(arena.allocator(), 10);
            CHECK(arena.is_valid());
            arena.reset(retain);
            CHECK(arena.is_valid());
            CARBIDE_TRY(filled);
        }
        const auto filled = fill(arena.allocator(), 8);
        arena.reset_retaining(512);
        CHECK(arena.is_valid());
        return filled;
    })));
}

TEST_CASE("sweep of the arena: a detached state frees what the arena had") {
    CHECK(passes(check_all_allocation_failures([](Allocator backing) -> Result<void> {
        ArenaAllocator first(small_chunks(backing));
        CARBIDE_TRY(fill(first.allocator(), 5));
        ArenaAllocator second(first.detach());
        CARBIDE_TRY(fill(second.allocator(), 5));
        CARBIDE_TRY(fill(first.allocator(), 5));
        const auto kept = second.detach();
        return fill(first.allocator(), 9);
    })));
}

TEST_CASE("sweep of the arena: a failed request leaves what was there") {
    struct Content {
        explicit Content(Allocator backing)
            : arena(small_chunks(backing)), text(arena.must_alloc<char>(100)) {
            for (char& letter : text) letter = 'a';
        }
        ArenaAllocator arena;
        std::span<char> text;
    };
    CHECK(passes(check_strong_guarantee(
        [](Allocator backing) { return Content(backing); },
        [](Content& content, Allocator) -> Result<void> {
            const auto more = CARBIDE_TRY(content.arena.alloc<char>(1000));
            content.text = CARBIDE_TRY(content.arena.realloc(content.text, 2000));
            content.arena.free(more);
            return {};
        },
        [](const Content& content) { return std::string(content.text.data(), 100); })));
}

TEST_CASE("sweep of the pool: slots and preheating give everything back") {
    CHECK(passes(check_all_allocation_failures([](Allocator backing) -> Result<std::size_t> {
        PoolAllocator<std::uint64_t> pool({.backing = backing, .first_chunk_slots = 4});
        std::array<std::uint64_t*, 50> numbers{};
        for (std::size_t i = 0; i < numbers.size(); ++i) {
            numbers[i] = CARBIDE_TRY(pool.create(i));
            if (i % 3 == 0) pool.destroy(std::exchange(numbers[i], nullptr));
        }
        CARBIDE_TRY(pool.preheat(100));
        CHECK(pool.is_valid());
        pool.reset(PoolBase::Retain::nothing);
        CARBIDE_TRY(pool.preheat(10));
        return pool.capacity_count();
    })));
}

TEST_CASE("sweep of the pool: a failed preheat or create changes nothing") {
    using Pool = PoolAllocator<std::uint64_t>;
    struct Slots {
        std::size_t live_count, capacity_count, capacity_bytes;
        bool valid;
        bool operator==(const Slots&) const = default;
    };
    const auto make = [](Allocator backing) {
        return Pool({.backing = backing, .first_chunk_slots = 1});
    };
    const auto snapshot = [](const Pool& pool) {
        return Slots{pool.live_count(), pool.capacity_count(), pool.capacity_bytes(),
                     pool.is_valid()};
    };
    CHECK(passes(check_strong_guarantee(
        make, [](Pool& pool, Allocator) { return pool.preheat(100); }, snapshot)));
    CHECK(passes(check_strong_guarantee(
        make, [](Pool& pool, Allocator) { return pool.create(1U); }, snapshot)));
}

TEST_CASE("sweep of the stack fallback: what the buffer cannot hold goes back to the fallback") {
    CHECK(passes(check_all_allocation_failures([](Allocator fallback) -> Result<void> {
        StackFallbackAllocator<256> stack(fallback);
        CARBIDE_TRY_LET(in_buffer, make_owned_slice<char>(stack.allocator(), 200));
        CARBIDE_TRY_LET(beyond, make_owned_slice<char>(stack.allocator(), 100));
        CARBIDE_TRY(in_buffer.realloc(400));  // Moves out of the buffer.
        CARBIDE_TRY(beyond.realloc(50));
        return beyond.realloc(5000);
    })));
}

TEST_CASE("sweep of the limit: its callback makes room, and a failing backing charges nothing") {
    CHECK(passes(check_all_allocation_failures([](Allocator backing) -> Result<void> {
        OwnedSlice<char> cache(backing);
        LimitAllocator limit({.backing = backing,
                              .limit_bytes = 1000,
                              .on_exhausted =
                                  [](void* context, LimitAllocator&, std::size_t) noexcept {
                                      auto& cached = *static_cast<OwnedSlice<char>*>(context);
                                      if (cached.empty()) return LimitAllocator::Decision::fail;
                                      cached.reset();
                                      return LimitAllocator::Decision::retry;
                                  },
                              .on_exhausted_context = &cache});
        {
            CARBIDE_TRY_LET(first, make_owned_slice<char>(limit.allocator(), 600));
            cache = std::move(first);
            CARBIDE_TRY_LET(second, make_owned_slice<char>(limit.allocator(), 900));
            CHECK(cache.empty());
            const auto realloced = second.realloc(1000);  // In place, or over the limit.
            CHECK(limit.used_bytes() == second.size());
            static_cast<void>(realloced);
        }
        CHECK(limit.used_bytes() == 0);
        return {};
    })));
}

TEST_CASE("sweep of the observers: counts, logs and locks pass a failure on") {
    CHECK(passes(check_all_allocation_failures([](Allocator backing) -> Result<std::size_t> {
        LockedAllocator locked({.backing = backing});
        StatisticsAllocator statistics({.backing = locked.allocator()});
        LoggingAllocator logging({.backing = statistics.allocator(),
                                  .sink = [](void*, const LoggingAllocator::Event&) noexcept {}});
        {
            CARBIDE_TRY_LET(first, make_owned_slice<int>(logging.allocator(), 10));
            CARBIDE_TRY_LET(second, make_owned_slice<int>(logging.allocator(), 1000));
            CARBIDE_TRY(first.realloc(2000));
            CARBIDE_TRY(second.realloc(10));
        }
        CHECK(statistics.statistics().current_bytes == 0);
        return statistics.live_count();
    })));
}

TEST_CASE("sweep of the debug allocator: its chunks and its own bookkeeping go back") {
    CHECK(passes(check_all_allocation_failures([](Allocator backing) -> Result<void> {
        DebugAllocator debug({.backing = backing, .stack_frame_count = 0});
        {
            std::array<std::span<char>, 10> slices;
            const auto free_all = [&] {
                for (const auto slice : slices) debug.free(slice);
            };
            std::size_t size_bytes = 10;
            for (auto& slice : slices) {
                const auto allocated = debug.alloc<char>(size_bytes);
                if (!allocated.has_value()) {
                    free_all();
                    CHECK_FALSE(debug.deinit());
                    return std::unexpected(allocated.error());
                }
                slice = *allocated;
                size_bytes *= 3;
            }
            free_all();
        }
        CHECK(debug.check_all() == 0);
        CHECK_FALSE(debug.deinit());
        return {};
    })));
}

TEST_CASE("sweep of owners: objects and slices that were made before a failure go back") {
    CHECK(passes(check_all_allocation_failures([](Allocator allocator) -> Result<std::size_t> {
        CARBIDE_TRY_LET(number, make_owned<int>(allocator, 7));
        CARBIDE_TRY_LET(zeroed, make_owned_slice_zeroed<int>(allocator, 10));
        CARBIDE_TRY_LET(copy, dupe_owned(allocator, "a text"));
        CARBIDE_TRY(copy.realloc(10'000));
        CARBIDE_TRY(copy.realloc(3));
        CARBIDE_TRY_LET(other, make_owned<int>(allocator, 8));
        number = std::move(other);
        return copy.size() + zeroed.size() + static_cast<std::size_t>(*number);
    })));
}

TEST_CASE("sweep of slices: plain, aligned, with a sentinel and for C") {
    CHECK(passes(check_all_allocation_failures([](Allocator allocator) -> Result<void> {
        const auto aligned = allocator.alloc_aligned<char, 256>(1000);
        const auto sentinel = allocator.alloc_sentinel<std::uint16_t, 0xFFFF>(20);
        const auto for_c = allocator.dupe_z("for C");
        const auto copy = allocator.dupe(std::string_view("a copy"));
        if (aligned.has_value()) allocator.free(*aligned);
        if (sentinel.has_value()) allocator.free(*sentinel);
        if (for_c.has_value()) allocator.free(*for_c);
        if (copy.has_value()) allocator.free(*copy);
        CARBIDE_TRY(aligned);
        CARBIDE_TRY(sentinel);
        CARBIDE_TRY(for_c);
        CARBIDE_TRY(copy);
        return {};
    })));
}

TEST_CASE("sweep of realloc: on failure the slice is as it was, growing or shrinking") {
    for (const std::size_t new_size : {std::size_t{100'000}, std::size_t{50}, std::size_t{1}}) {
        CHECK(passes(check_strong_guarantee(
            [](Allocator allocator) {
                OwnedSlice<char> text(allocator.must_alloc<char>(99), allocator);
                for (char& letter : text) letter = 'a';
                return text;
            },
            [&](OwnedSlice<char>& text, Allocator allocator) -> Result<void> {
                CARBIDE_TRY_LET(before, make_owned_slice<char>(allocator, text.size()));
                before[0] = text[0];
                return text.realloc(new_size);
            },
            [](const OwnedSlice<char>& text) { return std::string(text.begin(), text.end()); })));
    }
}

}  // namespace
}  // namespace carbide
