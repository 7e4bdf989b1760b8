// SPDX-License-Identifier: MIT
#include "ownership/ownership.hpp"

#include <doctest/doctest.h>

#include <ostream>

#include "carbide/c_allocator.hpp"
#include "carbide/null_allocator.hpp"
#include "carbide/statistics_allocator.hpp"

using examples::duplicate;
using examples::duplicate_owned;
using examples::OwnedText;
using examples::Text;

namespace {

std::span<char> must_duplicate(carbide::Allocator allocator, std::string_view source) {
    const auto copy = duplicate(allocator, source);
    REQUIRE(copy.has_value());
    return *copy;
}

carbide::OwnedSlice<char> must_duplicate_owned(carbide::Allocator allocator,
                                               std::string_view source) {
    auto copy = duplicate_owned(allocator, source);
    REQUIRE(copy.has_value());
    return std::move(*copy);
}

}  // namespace

TEST_CASE("example ownership: the caller frees a duplicate") {
    carbide::StatisticsAllocator statistics({.backing = carbide::c_allocator()});
    const std::span<char> copy = must_duplicate(statistics.allocator(), "text");
    CHECK(std::string_view(copy.data(), copy.size()) == "text");
    CHECK(statistics.live_count() == 1);
    statistics.free(copy);
    CHECK(statistics.live_count() == 0);
    CHECK(!duplicate(carbide::null_allocator(), "text").has_value());
}

TEST_CASE("example ownership: taking a text frees the one before it, deinit the last") {
    carbide::StatisticsAllocator statistics({.backing = carbide::c_allocator()});
    Text text{.allocator = statistics.allocator()};
    CHECK(text.view().empty());
    text.take_ownership(must_duplicate(statistics.allocator(), "first"));
    CHECK(statistics.live_count() == 1);
    text.take_ownership(must_duplicate(statistics.allocator(), "second"));
    CHECK(text.view() == "second");
    CHECK(statistics.live_count() == 1);
    text.deinit();
    CHECK(statistics.live_count() == 0);
}

TEST_CASE("example ownership: a view shows the text itself, not a copy") {
    carbide::StatisticsAllocator statistics({.backing = carbide::c_allocator()});
    Text text{.allocator = statistics.allocator()};
    const std::span<char> copy = must_duplicate(statistics.allocator(), "text");
    text.take_ownership(copy);
    CHECK(text.view().data() == copy.data());
    text.deinit();
}

TEST_CASE("example ownership: an owned text takes slices of any allocator, and frees each there") {
    carbide::StatisticsAllocator first({.backing = carbide::c_allocator()});
    carbide::StatisticsAllocator second({.backing = carbide::c_allocator()});
    {
        OwnedText text(must_duplicate_owned(first.allocator(), "first"));
        CHECK(text.view() == "first");
        text.take(must_duplicate_owned(second.allocator(), "second"));
        CHECK(text.view() == "second");
        CHECK(first.live_count() == 0);
        CHECK(second.live_count() == 1);
    }
    CHECK(second.live_count() == 0);
    CHECK(!duplicate_owned(carbide::null_allocator(), "text").has_value());
}
