// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <cstddef>
#include <ostream>
#include <utility>

#include "carbide/c_allocator.hpp"
#include "carbide/statistics_allocator.hpp"
#include "limited/budget.hpp"

using carbide::make_owned_slice;
using examples::Budget;

namespace {

constexpr std::size_t mebibyte = std::size_t{1} << 20;

void fill_cache(Budget& budget, std::size_t count, std::size_t size_bytes) {
    for (std::size_t index = 0; index < count; ++index) {
        auto content = make_owned_slice<std::byte>(budget.limit().allocator(), size_bytes);
        REQUIRE(content.has_value());
        budget.cache(std::move(*content));
    }
}

}  // namespace

TEST_CASE("example limited: beyond the limit it is out of memory, and nothing is charged") {
    Budget budget(carbide::c_allocator(), 50 * mebibyte);
    const carbide::Allocator allocator = budget.limit().allocator();
    const auto most = make_owned_slice<std::byte>(allocator, 50 * mebibyte);
    REQUIRE(most.has_value());
    CHECK(make_owned_slice<std::byte>(allocator, 1).error() == carbide::OutOfMemory{});
    CHECK(budget.limit().used_bytes() == 50 * mebibyte);
}

TEST_CASE("example limited: the cache gives up just as many contents as are needed") {
    carbide::StatisticsAllocator statistics({.backing = carbide::c_allocator()});
    {
        Budget budget(statistics.allocator(), 50 * mebibyte);
        fill_cache(budget, 5, 10 * mebibyte);
        CHECK(budget.cached_count() == 5);

        const carbide::Allocator allocator = budget.limit().allocator();
        const auto important = make_owned_slice<std::byte>(allocator, 25 * mebibyte);
        CHECK(important.has_value());
        CHECK(budget.cached_count() == 2);
        CHECK(budget.limit().used_bytes() == 45 * mebibyte);
        CHECK(budget.limit().exhausted_count() == 0);
    }
    CHECK(statistics.live_count() == 0);
}

TEST_CASE("example limited: the oldest content is given up first") {
    Budget budget(carbide::c_allocator(), 50);
    fill_cache(budget, 1, 20);
    fill_cache(budget, 1, 25);
    CHECK(make_owned_slice<std::byte>(budget.limit().allocator(), 25).has_value());
    CHECK(budget.limit().used_bytes() == 25);  // The newer one.
}

TEST_CASE("example limited: a full cache replaces its oldest content, and gives up the next") {
    Budget budget(carbide::c_allocator(), 1000);
    for (std::size_t size_bytes = 1; size_bytes <= 10; ++size_bytes) {
        fill_cache(budget, 1, size_bytes);
    }
    CHECK(budget.cached_count() == 8);
    CHECK(budget.limit().used_bytes() == 3 + 4 + 5 + 6 + 7 + 8 + 9 + 10);

    budget.limit().set_limit_bytes(budget.limit().used_bytes());
    CHECK(make_owned_slice<std::byte>(budget.limit().allocator(), 1).has_value());
    CHECK(budget.limit().used_bytes() == 4 + 5 + 6 + 7 + 8 + 9 + 10);
}

TEST_CASE("example limited: with an empty cache the request fails") {
    Budget budget(carbide::c_allocator(), 50);
    fill_cache(budget, 2, 10);
    const auto too_much = make_owned_slice<std::byte>(budget.limit().allocator(), 51);
    CHECK(too_much.error() == carbide::OutOfMemory{});
    CHECK(budget.cached_count() == 0);
    CHECK(budget.limit().used_bytes() == 0);
}
