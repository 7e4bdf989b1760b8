// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <ostream>

#include "carbide/c_allocator.hpp"
#include "carbide/limit_allocator.hpp"
#include "carbide/statistics_allocator.hpp"
#include "limited/cache.hpp"

using carbide::LimitAllocator;
using examples::Cache;

namespace {

constexpr std::size_t mebibyte = std::size_t{1} << 20;

void fill(Cache& cache, LimitAllocator& limit, std::size_t count) {
    for (std::size_t index = 0; index < count; ++index) {
        auto content = carbide::make_owned_slice<std::byte>(limit.allocator(), 10 * mebibyte);
        REQUIRE(content.has_value());
        (*content)[0] = static_cast<std::byte>(index);
        cache.keep(std::move(*content));
    }
}

}  // namespace

TEST_CASE("example limited: beyond the limit it is out of memory, and nothing is charged") {
    LimitAllocator limit({.backing = carbide::c_allocator(), .limit_bytes = 50 * mebibyte});
    const auto most = carbide::make_owned_slice<std::byte>(limit.allocator(), 50 * mebibyte);
    REQUIRE(most.has_value());
    CHECK(carbide::make_owned_slice<std::byte>(limit.allocator(), 1).error() ==
          carbide::OutOfMemory{});
    CHECK(limit.used_bytes() == 50 * mebibyte);
}

TEST_CASE("example limited: the cache gives up just as many contents as are needed") {
    carbide::StatisticsAllocator statistics({.backing = carbide::c_allocator()});
    {
        Cache cache;
        LimitAllocator limit({.backing = statistics.allocator(),
                              .limit_bytes = 50 * mebibyte,
                              .on_exhausted = &Cache::make_room,
                              .on_exhausted_context = &cache});
        fill(cache, limit, 5);
        CHECK(cache.count() == 5);
        fill(cache, limit, 1);
        CHECK(cache.count() == 5);

        const auto important = carbide::make_owned_slice<char>(limit.allocator(), 25 * mebibyte);
        CHECK(important.has_value());
        CHECK(cache.count() == 2);
        CHECK(limit.used_bytes() == 45 * mebibyte);
        CHECK(limit.exhausted_count() == 0);
    }
    CHECK(statistics.live_count() == 0);
}

TEST_CASE("example limited: with an empty cache the request fails") {
    Cache cache;
    LimitAllocator limit({.backing = carbide::c_allocator(),
                          .limit_bytes = 50 * mebibyte,
                          .on_exhausted = &Cache::make_room,
                          .on_exhausted_context = &cache});
    fill(cache, limit, 2);
    CHECK(!carbide::make_owned_slice<char>(limit.allocator(), 51 * mebibyte).has_value());
    CHECK(cache.count() == 0);
    CHECK(limit.used_bytes() == 0);
}
