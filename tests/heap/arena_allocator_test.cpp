// SPDX-License-Identifier: MIT
#include "carbide/arena_allocator.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <optional>
#include <ostream>
#include <string_view>
#include <utility>
#include <vector>

#include "carbide/c_allocator.hpp"
#include "carbide/fixed_buffer_allocator.hpp"
#include "carbide/limit_allocator.hpp"
#include "carbide/page_allocator.hpp"
#include "carbide/statistics_allocator.hpp"
#include "carbide/testing/allocator_contract.hpp"
#include "support/recording_heap.hpp"
#include "testing/random.hpp"

namespace carbide {
namespace {

using testing::check_allocator_contract;
using testing::check_out_of_memory;
using testing::ContractOptions;
using tests::RecordingHeap;
using Retain = ArenaAllocator::Retain;

constexpr std::size_t header_bytes = 32;  // Of a chunk.
constexpr std::align_val_t unaligned{1};

void check_contract(const ArenaAllocator::Options& options, const ContractOptions& promised = {}) {
    ArenaAllocator arena(options);
    CHECK(check_allocator_contract(arena.allocator(), promised).message() == "");
    CHECK(arena.is_valid());
    arena.reset();
    CHECK(arena.is_valid());
    CHECK(check_allocator_contract(arena.allocator(), promised).message() == "");
    CHECK(arena.is_valid());
}

// The sizes of the first chunks that an arena with these options takes.
std::vector<std::size_t> chunk_sizes(ArenaAllocator::Options options, std::size_t chunk_count) {
    RecordingHeap backing;
    options.backing = backing.allocator();
    ArenaAllocator arena(options);
    std::vector<std::size_t> sizes;
    while (sizes.size() < chunk_count) {
        CHECK(arena.raw_alloc(16, unaligned) != nullptr);
        if (backing.alloc_count > sizes.size()) sizes.push_back(backing.newest.size_bytes);
    }
    CHECK(backing.mistake.empty());
    return sizes;
}

TEST_CASE("arena: keeps the contract with any options and on any backing") {
    const Allocator c = c_allocator();
    check_contract({.backing = c});
    check_contract({.backing = c, .first_chunk_bytes = 0});
    check_contract({.backing = c, .first_chunk_bytes = 64, .growth_percent = 100});
    check_contract({.backing = c, .first_chunk_bytes = 100, .chunk_bytes_max = 300});
    check_contract({.backing = c, .first_chunk_bytes = 1000, .growth_percent = 1'000'000});
    check_contract({.backing = page_allocator()});
    check_contract({.backing = c, .capacity_bytes_max = 100'001},
                   {.size_bytes_max = 10'000, .may_run_out = true});

    ArenaAllocator outer({.backing = c});
    check_contract({.backing = outer.allocator()});
    CHECK(outer.is_valid());

    std::vector<std::byte> bytes(1 << 20);
    FixedBufferAllocator buffer(bytes);
    check_contract({.backing = buffer.allocator()}, {.may_run_out = true});
}

TEST_CASE("arena: survives out of memory at every point and gives everything back") {
    for (const std::size_t first_chunk_bytes : {std::size_t{0}, std::size_t{4096}}) {
        CHECK(check_out_of_memory([&](Allocator backing, auto run_on) {
                  ArenaAllocator arena({backing, first_chunk_bytes});
                  run_on(arena.allocator());
                  CHECK(arena.is_valid());
              }).message() == "");
    }
}

TEST_CASE("arena: survives out of memory through marks and resets") {
    for (const Retain retain : {Retain::nothing, Retain::capacity, Retain::recent_rounds}) {
        CHECK(check_out_of_memory(
                  [&](Allocator backing, auto run_on) {
                      ArenaAllocator outer({.backing = backing, .first_chunk_bytes = 500});
                      ArenaAllocator arena({.backing = outer.allocator()});
                      for (int round = 0; round < 2; ++round) {
                          {
                              const auto scope = arena.scope();
                              run_on(arena.allocator());
                          }
                          CHECK(arena.used_bytes() == 0);
                          arena.reset(retain);
                          CHECK(arena.is_valid());
                      }
                      CHECK(outer.is_valid());
                  },
                  {.operation_count = 40})
                  .message() == "");
    }
}

TEST_CASE("arena: takes nothing from the backing before the first request") {
    RecordingHeap backing;
    ArenaAllocator arena({.backing = backing.allocator()});
    CHECK(arena.raw_alloc(0, unaligned) != nullptr);
    arena.reset();
    {
        const auto scope = arena.scope();
    }
    CHECK(backing.call_count() == 0);
    CHECK(arena.capacity_bytes() == 0);
    CHECK(arena.used_bytes() == 0);
}

TEST_CASE("arena: chunks grow as the options say") {
    using Sizes = std::vector<std::size_t>;
    const Allocator any = c_allocator();
    CHECK(chunk_sizes({.backing = any}, 4) == Sizes{4096, 8192, 16384, 32768});
    CHECK(chunk_sizes({.backing = any, .first_chunk_bytes = 256, .growth_percent = 100}, 3) ==
          Sizes{256, 256, 256});
    CHECK(chunk_sizes({.backing = any,
                       .first_chunk_bytes = 256,
                       .growth_percent = 150,
                       .chunk_bytes_max = 700},
                      5) == Sizes{256, 384, 576, 688, 688});
    CHECK(chunk_sizes({.backing = any, .first_chunk_bytes = 999, .chunk_bytes_max = 64}, 2) ==
          Sizes{992, 992});
    CHECK(chunk_sizes({.backing = any, .first_chunk_bytes = 256, .capacity_bytes_max = 1000}, 3) ==
          Sizes{256, 512, 224});
}

TEST_CASE("arena: a larger request gets a chunk of just its size") {
    RecordingHeap backing;
    ArenaAllocator arena({.backing = backing.allocator(), .first_chunk_bytes = 256});
    CHECK(arena.raw_alloc(992, unaligned) != nullptr);
    CHECK(backing.newest.size_bytes == header_bytes + 992);
    CHECK(backing.newest.alignment_bytes == 16);
    // The chunk begins at a multiple of 16, so 240 bytes may lie in front.
    CHECK(arena.raw_alloc(4000, std::align_val_t{256}) != nullptr);
    CHECK(backing.newest.size_bytes == header_bytes + 240 + 4000);
}

TEST_CASE("arena: the capacity limit is used to its end and never exceeded") {
    StatisticsAllocator statistics({.backing = c_allocator()});
    ArenaAllocator arena({.backing = statistics.allocator(), .capacity_bytes_max = 1024});
    CHECK(arena.raw_alloc(1024 - header_bytes + 1, unaligned) == nullptr);
    CHECK(arena.capacity_bytes() == 0);
    CHECK(arena.raw_alloc(1024 - header_bytes, unaligned) != nullptr);
    CHECK(arena.raw_alloc(1, unaligned) == nullptr);
    CHECK(statistics.statistics().peak_bytes == 1024);
}

TEST_CASE("arena: the capacity limit holds through marks, resets and growth in place") {
    for (const bool grows_in_place : {false, true}) {
        ArenaAllocator outer({.backing = c_allocator()});
        const Allocator source = grows_in_place ? outer.allocator() : c_allocator();
        StatisticsAllocator statistics({.backing = source});
        constexpr std::size_t capacity_bytes_max = 20'000;
        ArenaAllocator arena({.backing = statistics.allocator(),
                              .first_chunk_bytes = 100,
                              .capacity_bytes_max = capacity_bytes_max});
        testing::Random random(7);
        for (int round = 0; round < 300; ++round) {
            std::optional<ArenaAllocator::Scope> scope;
            for (std::size_t i = random.below(40); i-- > 0;) {
                static_cast<void>(arena.raw_alloc(random.size_up_to(4000), unaligned));
                if (random.below(20) == 0 && !scope) scope.emplace(arena);
            }
            scope.reset();
            CHECK(arena.is_valid());
            CHECK(statistics.statistics().current_bytes == arena.capacity_bytes());
            const std::size_t chance = random.below(6);
            if (chance < 3) arena.reset(static_cast<Retain>(chance));
            if (chance == 3) arena.reset_retaining(random.below(30'000));
            CHECK(arena.is_valid());
        }
        CHECK(statistics.statistics().peak_bytes <= capacity_bytes_max);
        CHECK(statistics.statistics().peak_bytes > capacity_bytes_max / 2);
    }
}

TEST_CASE("arena: asks for the smallest chunk where the backing refuses the grown one") {
    LimitAllocator budget({.backing = c_allocator(), .limit_bytes = 1000});
    ArenaAllocator arena({.backing = budget.allocator()});
    CHECK(arena.raw_alloc(500, unaligned) != nullptr);
    CHECK(arena.capacity_bytes() == 544);  // 32 + 500, rounded up to 16.
    CHECK(arena.raw_alloc(400, unaligned) != nullptr);
    CHECK(arena.raw_alloc(400, unaligned) == nullptr);
    CHECK(arena.is_valid());
}

TEST_CASE("arena: gives its spare chunk back before it is out of memory") {
    LimitAllocator budget({.backing = c_allocator(), .limit_bytes = 10'000});
    ArenaAllocator arena({.backing = budget.allocator()});
    {
        const auto scope = arena.scope();
        CHECK(arena.raw_alloc(5000, unaligned) != nullptr);
    }
    CHECK(budget.used_bytes() > 5000);
    CHECK(arena.raw_alloc(9000, unaligned) != nullptr);
    CHECK(arena.is_valid());
}

TEST_CASE("arena: a chunk grows in place where the backing can") {
    ArenaAllocator outer({.backing = c_allocator(), .first_chunk_bytes = 1 << 20});
    StatisticsAllocator statistics({.backing = outer.allocator()});
    ArenaAllocator arena({.backing = statistics.allocator()});
    auto* const first = static_cast<char*>(arena.raw_alloc(3000, unaligned));
    auto* const second = static_cast<char*>(arena.raw_alloc(3000, unaligned));
    CHECK(second == first + 3000);
    CHECK(statistics.statistics().alloc_count == 1);
    CHECK(statistics.statistics().resize_count == 1);
    CHECK(arena.capacity_bytes() == 4096 + 8192);

    std::memset(second, 'x', 3000);
    CHECK(arena.raw_resize(second, 3000, 200'000, unaligned));
    CHECK(second[2999] == 'x');
    CHECK(statistics.statistics().alloc_count == 1);
    CHECK(arena.is_valid());
    CHECK_FALSE(arena.raw_resize(first, 3000, 3001, unaligned));  // Not the newest.
}

TEST_CASE("arena: only the newest allocation grows and gives its bytes back") {
    ArenaAllocator arena({.backing = c_allocator()});
    void* const older = arena.raw_alloc(100, unaligned);
    void* const newest = arena.raw_alloc(100, unaligned);
    CHECK(arena.used_bytes() == 208);
    CHECK(arena.raw_resize(older, 100, 104, unaligned));  // Its granule is its own.
    CHECK_FALSE(arena.raw_resize(older, 104, 105, unaligned));
    CHECK(arena.raw_resize(newest, 100, 1000, unaligned));
    CHECK(arena.raw_resize(newest, 1000, 9, unaligned));
    CHECK(arena.used_bytes() == 120);
    arena.raw_free(older, 104, unaligned);
    CHECK(arena.used_bytes() == 120);
    arena.raw_free(newest, 9, unaligned);
    CHECK(arena.used_bytes() == 104);
}

TEST_CASE("arena: freeing newest first gives every byte back, whatever the alignments") {
    struct Lent {
        void* memory;
        std::size_t size_bytes;
        std::align_val_t alignment;
        std::size_t used_before_bytes;
    };
    ArenaAllocator arena({.backing = c_allocator(), .first_chunk_bytes = 1 << 20});
    std::vector<Lent> lent;
    testing::Random random(3);
    for (int i = 0; i < 20'000; ++i) {
        if (lent.size() < 50 && random.below(2) == 0) {
            const std::size_t size_bytes = random.size_up_to(100);
            const std::align_val_t alignment{std::size_t{1} << random.below(13)};
            const std::size_t used_before_bytes = arena.used_bytes();
            lent.push_back(
                {arena.raw_alloc(size_bytes, alignment), size_bytes, alignment, used_before_bytes});
            REQUIRE(lent.back().memory != nullptr);
        } else if (!lent.empty()) {
            arena.raw_free(lent.back().memory, lent.back().size_bytes, lent.back().alignment);
            REQUIRE(arena.used_bytes() == lent.back().used_before_bytes);
            lent.pop_back();
        }
    }
    CHECK(arena.capacity_bytes() == 1 << 20);
}

TEST_CASE("arena: sizes near SIZE_MAX neither wrap nor reach the backing") {
    RecordingHeap backing;
    ArenaAllocator arena({.backing = backing.allocator()});
    void* const memory = arena.raw_alloc(8, unaligned);
    const std::size_t call_count = backing.call_count();
    for (std::size_t less = 0; less < 40; ++less) {
        for (std::size_t alignment = 1; alignment <= 65536; alignment *= 2) {
            CHECK(arena.raw_alloc(SIZE_MAX - less, std::align_val_t{alignment}) == nullptr);
            CHECK_FALSE(arena.raw_resize(memory, 8, SIZE_MAX - less, unaligned));
        }
    }
    CHECK(backing.call_count() == call_count);
    CHECK(arena.raw_alloc(SIZE_MAX / 2, unaligned) == nullptr);
    CHECK(arena.raw_alloc(8, std::align_val_t{std::size_t{1} << 63}) == nullptr);
    CHECK(arena.used_bytes() == 8);
    CHECK(arena.is_valid());
}

TEST_CASE("arena: used and capacity bytes count all chunks") {
    ArenaAllocator arena({.backing = c_allocator(), .first_chunk_bytes = 1024});
    CHECK(arena.raw_alloc(500, unaligned) != nullptr);
    CHECK(arena.used_bytes() == 504);
    CHECK(arena.raw_alloc(600, unaligned) != nullptr);
    CHECK(arena.used_bytes() == 504 + 600);
    CHECK(arena.capacity_bytes() == 1024 + 2048);
}

TEST_CASE("arena: its end gives every chunk back") {
    StatisticsAllocator statistics({.backing = c_allocator()});
    {
        ArenaAllocator arena({.backing = statistics.allocator(), .first_chunk_bytes = 64});
        CHECK(arena.raw_alloc(100, unaligned) != nullptr);
        {
            const auto scope = arena.scope();  // Leaves a spare chunk.
            CHECK(arena.raw_alloc(10'000, unaligned) != nullptr);
        }
        CHECK(statistics.live_count() == 2);
    }
    CHECK(statistics.live_count() == 0);
}

}  // namespace
}  // namespace carbide
