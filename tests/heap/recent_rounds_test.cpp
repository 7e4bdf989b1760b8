// SPDX-License-Identifier: MIT
#include "carbide/recent_rounds.hpp"

#include <doctest/doctest.h>

#include "support/child_process.hpp"

namespace carbide {
namespace {

TEST_CASE("recent rounds: without a round nothing is needed") {
    const RecentRounds rounds;
    CHECK(rounds.percentile_bytes(0) == 0);
    CHECK(rounds.percentile_bytes(100) == 0);
}

TEST_CASE("recent rounds: a percentile is the least need that covers that share of the rounds") {
    RecentRounds rounds;
    for (const std::size_t bytes : {50UL, 30UL, 10UL, 40UL, 20UL}) rounds.record(bytes);
    CHECK(rounds.percentile_bytes(0) == 10);
    CHECK(rounds.percentile_bytes(20) == 10);
    CHECK(rounds.percentile_bytes(21) == 20);
    CHECK(rounds.percentile_bytes(50) == 30);
    CHECK(rounds.percentile_bytes(80) == 40);
    CHECK(rounds.percentile_bytes(81) == 50);
    CHECK(rounds.percentile_bytes(100) == 50);
}

TEST_CASE("recent rounds: with 80 percent, one worst round of eight does not count") {
    RecentRounds rounds;
    rounds.record(1'000'000);
    for (int i = 0; i < 7; ++i) rounds.record(100);
    CHECK(rounds.percentile_bytes(80) == 100);
    rounds.record(1'000'000);  // Takes the place of the first one.
    CHECK(rounds.percentile_bytes(80) == 100);
    rounds.record(1'000'000);
    CHECK(rounds.percentile_bytes(80) == 1'000'000);
}

TEST_CASE("recent rounds: the ninth round takes the place of the first") {
    RecentRounds rounds;
    rounds.record(9000);
    for (std::size_t i = 1; i < RecentRounds::count_max; ++i) rounds.record(i);
    CHECK(rounds.percentile_bytes(100) == 9000);
    rounds.record(8);
    CHECK(rounds.percentile_bytes(100) == 8);
    CHECK(rounds.percentile_bytes(0) == 1);
}

TEST_CASE("recent rounds: a percentile above 100 stops the program") {
    const tests::ChildResult child =
        tests::run_in_child([] { static_cast<void>(RecentRounds().percentile_bytes(101)); });
    CHECK(child.trapped());
    CHECK(child.wrote("carbide: a percentile above 100"));
}

}  // namespace
}  // namespace carbide
