// SPDX-License-Identifier: MIT
#include "carbide/result.hpp"

#include <doctest/doctest.h>

#include <expected>
#include <memory>
#include <ostream>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>

#include "support/counted.hpp"

using carbide::OutOfMemory;
using carbide::Result;
using carbide::tests::Counted;

namespace {

enum class Fault { none, syntax, range };

struct WiderError {
    explicit WiderError(Fault fault) noexcept : code(static_cast<int>(fault) + 100) {}
    WiderError(OutOfMemory) noexcept : code(12) {}  // NOLINT(google-explicit-constructor)
    int code;
};

Result<int, Fault> failing(Fault fault) { return std::unexpected(fault); }

using Unique = std::unique_ptr<int>;

}  // namespace

TEST_CASE("result: holds a value or an error") {
    const Result<int, Fault> success = 5;
    CHECK(success.has_value());
    CHECK(static_cast<bool>(success));
    CHECK(*success == 5);
    CHECK(success.value() == 5);

    const Result<int, Fault> failure = failing(Fault::syntax);
    CHECK_FALSE(failure.has_value());
    CHECK_FALSE(static_cast<bool>(failure));
    CHECK(failure.error() == Fault::syntax);
}

TEST_CASE("result: the default is success with a default value") {
    CHECK(*Result<int>() == 0);
    CHECK(Result<std::string>()->empty());
    CHECK(Result<void>().has_value());
    CHECK_FALSE(std::is_default_constructible_v<Result<std::reference_wrapper<int>>>);
}

TEST_CASE("result: a value is made from what converts to it") {
    const Result<std::string> text = "literal";
    CHECK(*text == "literal");
    CHECK(text->size() == 7);
    CHECK_FALSE(std::is_convertible_v<int*, Result<std::string>>);
    CHECK_FALSE(std::is_constructible_v<Result<Unique>, int*>);  // Explicit in unique_ptr.
}

TEST_CASE("result: an error is made from another error type") {
    const Result<int, WiderError> explicitly = std::unexpected(Fault::range);
    CHECK(explicitly.error().code == 102);
    const Result<int, WiderError> implicitly = std::unexpected(OutOfMemory{});
    CHECK(implicitly.error().code == 12);
    CHECK_FALSE(std::is_constructible_v<Result<int, Fault>, std::unexpected<std::string>>);
}

TEST_CASE("result: converts to and from std::expected") {
    const std::expected<int, Fault> expected = Result<int, Fault>(4);
    CHECK(expected.value() == 4);
    const Result<int, Fault> from_failure = std::expected<int, Fault>(std::unexpect, Fault::range);
    CHECK(from_failure.error() == Fault::range);

    const Result<int, Fault> kept = 6;
    const std::expected<int, Fault> copy = kept;
    CHECK(*copy == 6);
    CHECK(*kept == 6);

    const std::expected<Unique, Fault> moved = Result<Unique, Fault>(std::make_unique<int>(8));
    CHECK(**moved == 8);

    const std::expected<void, Fault> nothing = Result<void, Fault>(std::unexpected(Fault::syntax));
    CHECK(nothing.error() == Fault::syntax);
    CHECK_FALSE(std::is_convertible_v<const Result<Unique>&, std::expected<Unique, OutOfMemory>>);
}

TEST_CASE("result: a move-only value moves through every access") {
    Result<Unique> result = std::make_unique<int>(3);
    CHECK(**result == 3);
    const Unique taken = *std::move(result);
    CHECK(*taken == 3);
    CHECK(*result == nullptr);  // NOLINT(bugprone-use-after-move): unique_ptr defines it.

    Result<Unique> second = std::make_unique<int>(4);
    CHECK(*std::move(second).value() == 4);
    Result<Unique> third = std::unexpected(OutOfMemory{});
    CHECK(*std::move(third).value_or(std::make_unique<int>(5)) == 5);
    CHECK_FALSE(std::is_copy_constructible_v<Result<Unique>>);
    CHECK(std::is_copy_constructible_v<Result<int>>);
}

TEST_CASE("result: the value may be changed in place") {
    Result<int> number = 1;
    *number = 2;
    CHECK(number.value() == 2);
    number.value() = 3;
    CHECK(*number == 3);
    Result<Counted> object = Counted(1);
    object->value = 9;
    CHECK(object.value().value == 9);
}

TEST_CASE("result: value_or gives the value, or the other") {
    const Result<int> success = 1;
    const Result<int> failure = std::unexpected(OutOfMemory{});
    CHECK(success.value_or(2) == 1);
    CHECK(failure.value_or(2) == 2);
}

TEST_CASE("result: value throws where there is none") {
    const Result<int, Fault> failure = failing(Fault::range);
    CHECK_THROWS_AS(static_cast<void>(failure.value()), std::bad_expected_access<Fault>);
    Result<void, Fault> nothing = std::unexpected(Fault::range);
    CHECK_THROWS_AS(nothing.value(), std::bad_expected_access<Fault>);
    CHECK_NOTHROW((Result<void, Fault>().value()));
}

TEST_CASE("result: copies and moves destroy as much as they build") {
    Counted::live = 0;
    {
        Result<Counted> first = Counted(1);
        Result<Counted> copy = first;
        const Result<Counted> moved = std::move(copy);
        first = Counted(2);
        CHECK(first->value == 2);
        CHECK(moved->value == 1);
        first = std::unexpected(OutOfMemory{});
        CHECK(Counted::live == 2);
    }
    CHECK(Counted::live == 0);
}

TEST_CASE("result: and_then goes on with the value, and skips on an error") {
    const auto half = [](int value) -> Result<int, Fault> {
        if (value % 2 != 0) return std::unexpected(Fault::range);
        return value / 2;
    };
    CHECK(*Result<int, Fault>(8).and_then(half).and_then(half) == 2);
    CHECK(Result<int, Fault>(6).and_then(half).and_then(half).error() == Fault::range);
    int call_count = 0;
    const auto counted = [&](int) -> Result<std::string, Fault> {
        ++call_count;
        return "called";
    };
    CHECK(failing(Fault::syntax).and_then(counted).error() == Fault::syntax);
    CHECK(call_count == 0);
    CHECK(*Result<int, Fault>(1).and_then(counted) == "called");
}

TEST_CASE("result: transform maps the value, and skips on an error") {
    CHECK(*Result<int>(2).transform([](int value) { return std::to_string(value); }) == "2");
    CHECK(failing(Fault::range).transform([](int) { return 1; }).error() == Fault::range);
    int seen = 0;
    const Result<void> nothing = Result<int>(7).transform([&](int value) { seen = value; });
    CHECK(nothing.has_value());
    CHECK(seen == 7);
    const Result<Unique> moved =
        Result<Unique>(std::make_unique<int>(1)).transform([](Unique p) { return p; });
    CHECK(**moved == 1);
}

TEST_CASE("result: or_else handles the error, and keeps a value") {
    const auto recover = [](Fault fault) -> Result<int, std::string> {
        if (fault == Fault::range) return 0;
        return std::unexpected("syntax");
    };
    CHECK(*failing(Fault::range).or_else(recover) == 0);
    CHECK(failing(Fault::syntax).or_else(recover).error() == "syntax");
    CHECK(*Result<int, Fault>(5).or_else(recover) == 5);
}

TEST_CASE("result: transform_error maps the error, and keeps a value") {
    const auto widen = [](Fault fault) { return WiderError(fault); };
    CHECK(failing(Fault::range).transform_error(widen).error().code == 102);
    CHECK(*Result<int, Fault>(5).transform_error(widen) == 5);
    CHECK(*Result<Unique>(std::make_unique<int>(6))
               .transform_error([](OutOfMemory) { return 1; })
               .value() == 6);
}

TEST_CASE("result: the monadic operations work without a value type") {
    const Result<int, Fault> number =
        Result<void, Fault>().and_then([]() -> Result<int, Fault> { return 1; });
    CHECK(*number == 1);
    CHECK(*Result<void, Fault>().transform([] { return 2; }) == 2);
    Result<void, Fault> failure = std::unexpected(Fault::syntax);
    CHECK(std::move(failure).transform([] { return 2; }).error() == Fault::syntax);
    Result<void, Fault> second = std::unexpected(Fault::syntax);
    CHECK(std::move(second).or_else([](Fault) -> Result<void, Fault> { return {}; }).has_value());
    CHECK(Result<void, Fault>().transform_error([](Fault) { return 1; }).has_value());
}

TEST_CASE("result: equality compares values, errors and which of them there is") {
    CHECK(Result<int, Fault>(1) == Result<int, Fault>(1));
    CHECK_FALSE(Result<int, Fault>(1) == Result<int, Fault>(2));
    CHECK_FALSE(Result<int, Fault>(0) == failing(Fault::none));
    CHECK_FALSE(failing(Fault::none) == Result<int, Fault>(0));
    CHECK(failing(Fault::range) == failing(Fault::range));
    CHECK(failing(Fault::range) != failing(Fault::syntax));
    CHECK(Result<void, Fault>() == Result<void, Fault>());
    CHECK(Result<int, Fault>(1) == Result<long, Fault>(1L));
}

TEST_CASE("result: works in constant expressions") {
    constexpr auto quarter = [](int value) {
        const auto half = [](int v) -> Result<int, Fault> {
            if (v % 2 != 0) return std::unexpected(Fault::range);
            return v / 2;
        };
        return half(value).and_then(half);
    };
    static_assert(*quarter(8) == 2);
    static_assert(quarter(6).error() == Fault::range);
    static_assert(quarter(6).value_or(1) == 1);
    CHECK(quarter(4).has_value());
}

TEST_CASE("result: names its types, and is recognised") {
    CHECK(std::is_same_v<Result<int>::value_type, int>);
    CHECK(std::is_same_v<Result<int>::error_type, OutOfMemory>);
    CHECK(carbide::is_result<Result<void>>);
    CHECK_FALSE(carbide::is_result<std::expected<int, Fault>>);
}
