// SPDX-License-Identifier: MIT
#include "carbide/defer.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <ostream>
#include <string>
#include <type_traits>

#include "carbide/result.hpp"
#include "carbide/try.hpp"

using carbide::commit;
using carbide::defer;
using carbide::errdefer;
using carbide::OutOfMemory;
using carbide::Result;

TEST_CASE("defer: runs at the end of the scope, last one first") {
    std::string order;
    {
        const auto first = defer([&] { order += '1'; });
        const auto second = defer([&] { order += '2'; });
        order += '0';
    }
    CHECK(order == "021");
}

TEST_CASE("defer: runs on an early return and on an exception") {
    int runs = 0;
    const auto leave = [&](bool by_exception) {
        const auto guard = defer([&] { ++runs; });
        if (by_exception) throw 1;
    };
    leave(false);
    CHECK(runs == 1);
    CHECK_THROWS_AS(leave(true), int);
    CHECK(runs == 2);
}

TEST_CASE("defer: runs after the result has been computed") {
    int value = 1;
    const auto read = [&] {
        const auto guard = defer([&] { value = 2; });
        return value;
    };
    CHECK(read() == 1);
    CHECK(value == 2);
}

TEST_CASE("defer: takes a function that only moves") {
    int seen = 0;
    {
        auto owned = std::make_unique<int>(4);
        const auto guard = defer([&seen, owned = std::move(owned)] { seen = *owned; });
    }
    CHECK(seen == 4);
}

TEST_CASE("errdefer: runs unless it was committed") {
    int undone = 0;
    {
        const auto armed = errdefer([&] { ++undone; });
        auto committed = errdefer([&] { undone += 10; });
        committed.commit();
        committed.commit();
    }
    CHECK(undone == 1);
}

TEST_CASE("errdefer: undoes finished steps newest first, whichever step fails") {
    std::string undone;
    const auto init = [&](int failing_step) -> Result<int> {
        const auto step = [&](int number) -> Result<void> {
            if (number == failing_step) return std::unexpected(OutOfMemory{});
            return {};
        };
        undone.clear();
        CARBIDE_TRY(step(1));
        auto undo_first = errdefer([&] { undone += 'a'; });
        CARBIDE_TRY(step(2));
        auto undo_second = errdefer([&] { undone += 'b'; });
        CARBIDE_TRY(step(3));
        CARBIDE_NOTHING_FAILS_BELOW;
        commit(undo_first, undo_second);
        return 1;
    };
    CHECK_FALSE(init(1).has_value());
    CHECK(undone == "");
    CHECK_FALSE(init(2).has_value());
    CHECK(undone == "a");
    CHECK_FALSE(init(3).has_value());
    CHECK(undone == "ba");
    CHECK(*init(0) == 1);
    CHECK(undone == "");
}

TEST_CASE("errdefer: runs on an exception") {
    int undone = 0;
    const auto fail = [&] {
        auto guard = errdefer([&] { ++undone; });
        throw 1;
    };
    CHECK_THROWS_AS(fail(), int);
    CHECK(undone == 1);
}

TEST_CASE("defer: guards neither copy nor move") {
    const auto nothing = [] {};
    CHECK_FALSE(std::is_copy_constructible_v<carbide::Defer<decltype(nothing)>>);
    CHECK_FALSE(std::is_move_constructible_v<carbide::Defer<decltype(nothing)>>);
    CHECK_FALSE(std::is_copy_constructible_v<carbide::ErrDefer<decltype(nothing)>>);
    CHECK_FALSE(std::is_move_constructible_v<carbide::ErrDefer<decltype(nothing)>>);
}
