// SPDX-License-Identifier: MIT
#include "carbide/testing/run_outcome.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

namespace carbide::testing::detail {
namespace {

RunOutcome outcome_of(auto result) {
    AnyResult any;
    return run_and_classify([&] { return result; }, any, std::nullopt);
}

TEST_CASE("run outcome: numbers, strings and vectors of numbers can be compared across runs") {
    CHECK(outcome_of(std::size_t{7}).has_value);
    CHECK(outcome_of(7.5).has_value);
    CHECK(outcome_of(std::string("text")).has_value);
    CHECK(outcome_of(std::vector<int>{1, 2}).has_value);
    CHECK(outcome_of(std::string("a")).value_hash != outcome_of(std::string("b")).value_hash);
    CHECK(outcome_of(std::vector<int>{1, 2}).value_hash !=
          outcome_of(std::vector<int>{2, 1}).value_hash);
    CHECK(outcome_of(std::string("a")).value_hash == outcome_of(std::string("a")).value_hash);
}

TEST_CASE("run outcome: addresses and views say nothing across runs") {
    static constexpr int number = 1;
    CHECK_FALSE(outcome_of(&number).has_value);
    CHECK_FALSE(outcome_of(std::string_view("text")).has_value);
    CHECK_FALSE(outcome_of(true).has_value);
    CHECK_FALSE(outcome_of(0).has_value);  // A code.
}

TEST_CASE("run outcome: a long text is cut, and its content is compared all the same") {
    const std::string text(1000, 'x');
    const RunOutcome outcome = outcome_of(text);
    CHECK(std::string_view(outcome.text).size() < sizeof outcome.text);
    CHECK(outcome.value_hash != outcome_of(text + "y").value_hash);
}

TEST_CASE("run outcome: an exception of another type is another error") {
    AnyResult any;
    const RunOutcome outcome = run_and_classify([] { throw 1; }, any, std::nullopt);
    CHECK(outcome.kind == RunOutcome::Kind::other_error);
    CHECK(outcome.has_failed());
}

}  // namespace
}  // namespace carbide::testing::detail
