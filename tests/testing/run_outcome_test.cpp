// SPDX-License-Identifier: MIT
#include "carbide/testing/run_outcome.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstring>
#include <limits>
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

TEST_CASE("run outcome: what compares equal is equal, whatever its bytes") {
    const auto hash_of_result = [](auto result) { return outcome_of(result).value_hash; };
    CHECK(hash_of_result(0.0) == hash_of_result(-0.0));
    CHECK(hash_of_result(0.0F) == hash_of_result(-0.0F));
    CHECK(hash_of_result(std::vector<double>{0.0, 1.0}) ==
          hash_of_result(std::vector<double>{-0.0, 1.0}));
    CHECK(hash_of_result(std::vector<double>{1.0, 2.0}) !=
          hash_of_result(std::vector<double>{2.0, 1.0}));
    CHECK(hash_of_result(std::vector<double>{0.0}) !=
          hash_of_result(std::vector<double>{0.0, 0.0}));
    // Bytes behind its 80 bits mean nothing.
    long double numbers[2];
    std::memset(&numbers[0], 0x11, sizeof numbers[0]);
    std::memset(&numbers[1], 0x22, sizeof numbers[1]);
    for (long double& number : numbers) number = 1.5L;
    CHECK(hash_of_result(numbers[0]) == hash_of_result(numbers[1]));
    const long double finer = 1.0L + std::numeric_limits<long double>::epsilon();
    CHECK((hash_of_result(finer) == hash_of_result(1.0L)) == (finer == 1.0L));
    CHECK(hash_of_result(std::numeric_limits<double>::quiet_NaN()) ==
          hash_of_result(std::numeric_limits<double>::quiet_NaN()));
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
