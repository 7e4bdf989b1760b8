// SPDX-License-Identifier: MIT
#include "carbide/try.hpp"

#include <doctest/doctest.h>

#include <expected>
#include <memory>
#include <ostream>
#include <string>
#include <type_traits>
#include <utility>

#include "carbide/result.hpp"
#include "support/counted.hpp"

using carbide::OutOfMemory;
using carbide::Result;
using carbide::tests::Counted;

namespace {

using Unique = std::unique_ptr<int>;

Result<int> number(bool succeeds) {
    if (!succeeds) return std::unexpected(OutOfMemory{});
    return 1;
}

Result<Unique> unique(bool succeeds) {
    if (!succeeds) return std::unexpected(OutOfMemory{});
    return std::make_unique<int>(2);
}

Result<void> nothing(bool succeeds) {
    if (!succeeds) return std::unexpected(OutOfMemory{});
    return {};
}

std::expected<int, std::string> standard(bool succeeds) {
    if (!succeeds) return std::unexpected("standard");
    return 3;
}

}  // namespace

TEST_CASE("try: gives the value, or returns the error at once") {
    int steps = 0;
    const auto add = [&](bool first, bool second) -> Result<int> {
        steps = 0;
        const int left = CARBIDE_TRY(number(first));
        ++steps;
        const int right = CARBIDE_TRY(number(second));
        ++steps;
        return left + right;
    };
    CHECK(*add(true, true) == 2);
    CHECK(steps == 2);
    CHECK(add(true, false).error() == OutOfMemory{});
    CHECK(steps == 1);
    CHECK_FALSE(add(false, true).has_value());
    CHECK(steps == 0);
}

TEST_CASE("try: moves a move-only value out") {
    const auto take = [](bool succeeds) -> Result<int> {
        const Unique owner = CARBIDE_TRY(unique(succeeds));
        return *owner;
    };
    CHECK(*take(true) == 2);
    CHECK_FALSE(take(false).has_value());
}

TEST_CASE("try: tries a named result without consuming it") {
    Result<std::string> named = "kept";
    const auto read = [&]() -> Result<std::size_t> {
        const std::string copy = CARBIDE_TRY(named);
        return copy.size();
    };
    CHECK(*read() == 4);
    CHECK(*named == "kept");
}

TEST_CASE("try: tries what has no value") {
    const auto both = [](bool first, bool second) -> Result<int> {
        CARBIDE_TRY(nothing(first));
        CARBIDE_TRY(nothing(second));
        return 1;
    };
    CHECK(*both(true, true) == 1);
    CHECK_FALSE(both(true, false).has_value());
    CHECK_FALSE(both(false, true).has_value());
}

TEST_CASE("try: takes std::expected, and returns it") {
    const auto mixed = [](bool succeeds) -> std::expected<int, std::string> {
        const int value = CARBIDE_TRY(standard(succeeds));
        CARBIDE_TRY_LET(again, standard(succeeds));
        return value + again;
    };
    CHECK(mixed(true).value() == 6);
    CHECK(mixed(false).error() == "standard");
}

TEST_CASE("try: takes expressions with commas") {
    const auto pick = []() -> Result<int> {
        CARBIDE_TRY_LET(from_pair, Result<std::pair<int, int>>(std::pair<int, int>{1, 2}));
        const auto pair = CARBIDE_TRY(Result<std::pair<int, int>>(std::pair<int, int>{3, 4}));
        return from_pair.second + pair.first;
    };
    CHECK(*pick() == 5);
}

TEST_CASE("try: nests in the argument of a call") {
    const auto nested = [](bool inner, bool outer) -> Result<int> {
        const int value = CARBIDE_TRY(number(CARBIDE_TRY(number(inner)) == 1 && outer));
        return value;
    };
    CHECK(*nested(true, true) == 1);
    CHECK_FALSE(nested(false, true).has_value());
    CHECK_FALSE(nested(true, false).has_value());
}

TEST_CASE("try: TRY_LET declares a value that may be changed and moved") {
    const auto take = [](bool succeeds) -> Result<Unique> {
        CARBIDE_TRY_LET(owner, unique(succeeds));
        *owner = 5;
        return std::move(owner);
    };
    CHECK(**take(true) == 5);
    CHECK_FALSE(take(false).has_value());
}

TEST_CASE("try: evaluates its expression once, and destroys what it held") {
    Counted::live = 0;
    int evaluations = 0;
    const auto make = [&]() -> Result<Counted> {
        ++evaluations;
        return Counted(1);
    };
    const auto use = [&]() -> Result<int> {
        const Counted first = CARBIDE_TRY(make());
        CARBIDE_TRY_LET(second, make());
        return first.value + second.value;
    };
    CHECK(*use() == 2);
    CHECK(evaluations == 2);
    CHECK(Counted::live == 0);
}

TEST_CASE("try: the value is an object of its own, not a reference into the result") {
    const auto take = []() -> Result<Unique> {
        decltype(auto) value = CARBIDE_TRY(unique(true));
        static_assert(std::is_same_v<decltype(value), Unique>);
        return value;
    };
    CHECK(**take() == 2);
}

TEST_CASE("try: the nothing-fails marker ends with its scope") {
    const auto scoped = [](bool succeeds) -> Result<int> {
        {
            CARBIDE_NOTHING_FAILS_BELOW;
            // Here a CARBIDE_TRY does not compile: tests/compile_fail/try_below_marker.cpp.
        }
        const int value = CARBIDE_TRY(number(succeeds));
        CARBIDE_NOTHING_FAILS_BELOW;
        return value;
    };
    CHECK(*scoped(true) == 1);
    CHECK_FALSE(scoped(false).has_value());
}
