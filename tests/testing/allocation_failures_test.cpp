// SPDX-License-Identifier: MIT
#include "carbide/testing/allocation_failures.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "carbide/allocator.hpp"
#include "carbide/owned_slice.hpp"
#include "carbide/recovery_scope.hpp"
#include "carbide/try.hpp"
#include "testing/swept_functions.hpp"

namespace carbide::testing {
namespace {

using Kind = FailurePoint::Kind;
using Repeat = FailurePoint::Repeat;

Result<void> frees_first_twice_where_second_fails(Allocator allocator) {
    CARBIDE_TRY_LET(first, allocator.alloc<int>(10));
    auto second = allocator.alloc<int>(20);
    if (!second.has_value()) allocator.free(first);
    if (second.has_value()) allocator.free(*second);
    allocator.free(first);
    if (!second.has_value()) return std::unexpected(second.error());
    return {};
}

Result<void> swallows_second(Allocator allocator) {
    CARBIDE_TRY_LET(first, make_owned_slice<int>(allocator, 8));
    static_cast<void>(make_owned_slice<int>(allocator, first.size()));
    return {};
}

TEST_CASE("sweep: a function that gives everything back passes") {
    const SweepReport report = check_all_allocation_failures(correct);
    INFO(report.message());
    CHECK(report.passed());
    CHECK(report.verdict() == Verdict::passed);
    CHECK(report.message().empty());
    CHECK(report.alloc_count() == 3);
    CHECK(report.resize_count() == 0);
    CHECK(report.run_count() == 6);
}

TEST_CASE("sweep: a leak is told with what leaked and where the failure was") {
    const SweepReport report = check_all_allocation_failures(leaks_first_where_second_fails);
    CHECK_FALSE(report.passed());
    CHECK(report.verdict() == Verdict::leaked);
    CHECK(report.finding() == FindingKind::leak);
    CHECK(report.count(Verdict::leaked) == 2);
    REQUIRE(report.failed_runs().size() == 2);
    CHECK(report.failed_runs()[0].point == FailurePoint{Kind::alloc, 1, Repeat::once});
    CHECK(report.failed_runs()[1].point == FailurePoint{Kind::alloc, 1, Repeat::all_from_there_on});
    says(report, "2 of 4 runs with a failure did not pass (2 allocs, 0 resizes)");
    says(report, "leaked: alloc 1 failed, once\n");
    says(report, "the function reported that memory was out");
    says(report, "the failure was induced here:\n");
    says(report, "what was found:\n");
    says(report, "CARBIDE_SWEEP_ONLY=alloc:1:once\n");
}

TEST_CASE("sweep: equal mistakes are told once") {
    const SweepReport report = check_all_allocation_failures(leaks_first_where_second_fails);
    says(report, "the same with alloc:1:all\n");
    CHECK(report.message().find("leaked:") == report.message().rfind("leaked:"));
}

TEST_CASE("sweep: a leak without any failure is told as that") {
    const SweepReport report = check_all_allocation_failures(
        [](Allocator allocator) { return allocator.alloc<int>(4).has_value(); });
    CHECK(report.verdict() == Verdict::leaked);
    REQUIRE(report.failed_runs().size() == 1);
    CHECK_FALSE(report.failed_runs()[0].point.has_value());
    says(report, "leaked: without any failure\n");
}

TEST_CASE("sweep: a double free is corruption, and comes before the leak") {
    const SweepReport report = check_all_allocation_failures(frees_first_twice_where_second_fails);
    CHECK(report.verdict() == Verdict::corrupted);
    CHECK(report.finding() == FindingKind::double_free);
    says(report, "double");
}

TEST_CASE("sweep: success after a failed alloc is swallowing") {
    const SweepReport report = check_all_allocation_failures(swallows_second);
    CHECK(report.verdict() == Verdict::swallowed);
    CHECK_FALSE(report.finding().has_value());
    CHECK(report.count(Verdict::swallowed) == 2);
    says(report, "swallowed: alloc 1 failed, once\n");
    says(report, "RecoveryScope");
}

TEST_CASE("sweep: recovery may be allowed for the whole function") {
    const SweepReport report =
        check_all_allocation_failures({.allow_recovery = true}, swallows_second);
    INFO(report.message());
    CHECK(report.passed());
}

Result<void> works_without_a_cache(Allocator allocator) {
    CARBIDE_TRY_LET(needed, make_owned_slice<int>(allocator, 8));
    std::optional<OwnedSlice<int>> cache;
    {
        const RecoveryScope no_cache_will_do;
        auto slots = make_owned_slice<int>(allocator, 8 * needed.size());
        if (slots.has_value()) cache.emplace(std::move(*slots));
    }
    return {};
}

TEST_CASE("sweep: a RecoveryScope allows recovery for its requests alone") {
    const SweepReport report = check_all_allocation_failures(works_without_a_cache);
    INFO(report.message());
    CHECK(report.passed());
    const SweepReport both = check_all_allocation_failures([](Allocator allocator) {
        static_cast<void>(works_without_a_cache(allocator));
        return true;
    });
    CHECK(both.verdict() == Verdict::swallowed);
    CHECK(both.failed_runs()[0].point == FailurePoint{Kind::alloc, 0, Repeat::once});
    CHECK(both.count(Verdict::swallowed) == 2);
}

TEST_CASE("sweep: a function whose requests vary is non-deterministic") {
    int round = 0;
    const SweepReport report = check_all_allocation_failures([&](Allocator allocator) {
        ++round;
        for (int i = 0; i < round; ++i) {
            const auto slice = allocator.alloc<int>(1);
            if (!slice.has_value()) return false;
            allocator.free(*slice);
        }
        return true;
    });
    CHECK(report.verdict() == Verdict::non_deterministic);
    says(report, "two runs with the same arguments differ: 1 and 2 allocs\n");
}

TEST_CASE("sweep: a function whose results vary is non-deterministic, and both are told") {
    int round = 0;
    const SweepReport report =
        check_all_allocation_failures([&](Allocator) -> Result<int> { return ++round; });
    CHECK(report.verdict() == Verdict::non_deterministic);
    says(report, "two runs with the same arguments differ: results 1 and 2\n");
}

TEST_CASE("sweep: a planned request that never comes is non-determinism") {
    int round = 0;
    const SweepReport report = check_all_allocation_failures([&](Allocator allocator) {
        const bool asks = ++round <= 2;
        const auto slice = allocator.alloc<int>(asks ? 1 : 0);
        if (!slice.has_value()) return false;
        allocator.free(*slice);
        return true;
    });
    CHECK(report.verdict() == Verdict::non_deterministic);
    CHECK(report.failed_runs()[0].point.has_value());
    says(report, "never the request that was to fail");
}

TEST_CASE("sweep: a failure without out of memory is a wrong result") {
    const SweepReport report = check_all_allocation_failures(
        [](Allocator) -> Result<void> { return std::unexpected(OutOfMemory()); });
    CHECK(report.verdict() == Verdict::wrong_result);
    says(report, "although every request succeeded");
}

enum class ParseError : unsigned char { syntax, out_of_memory };

TEST_CASE("sweep: another error than out of memory is a wrong result") {
    const SweepReport report =
        check_all_allocation_failures([](Allocator allocator) -> std::expected<void, ParseError> {
            const auto slice = make_owned_slice<int>(allocator, 8);
            if (!slice.has_value()) return std::unexpected(ParseError::syntax);
            return {};
        });
    CHECK(report.verdict() == Verdict::wrong_result);
    CHECK(report.count(Verdict::wrong_result) == 2);
    says(report, "not because memory was out");
}

TEST_CASE("sweep: another value than without failures is a wrong result") {
    const SweepReport report = check_all_allocation_failures(
        {.allow_recovery = true}, [](Allocator allocator) -> Result<int> {
            const auto slice = make_owned_slice<int>(allocator, 8);
            return slice.has_value() ? 8 : 7;
        });
    CHECK(report.verdict() == Verdict::wrong_result);
    says(report, "(7)");
    says(report, "(8)");
}

TEST_CASE("sweep: strings are compared by content") {
    const auto text = [](Allocator allocator) -> std::string {
        const auto slice = make_owned_slice<int>(allocator, 8);
        return slice.has_value() ? "all" : "none";
    };
    const SweepReport report = check_all_allocation_failures({.allow_recovery = true}, text);
    CHECK(report.verdict() == Verdict::wrong_result);
    says(report, "'none'");
    const SweepReport equal = check_all_allocation_failures(
        {.allow_recovery = true},
        [&](Allocator allocator) { return text(allocator).substr(0, 0); });
    CHECK(equal.passed());
}

struct Counts {
    int first;
    int second;
};

TEST_CASE("sweep: a check of the result sees each result") {
    const auto count = [](Allocator allocator) -> Result<Counts> {
        const auto slice = make_owned_slice<int>(allocator, 8);
        return Counts{1, slice.has_value() ? 1 : 2};
    };
    const SweepReport report = check_all_allocation_failures(
        {.allow_recovery = true},
        result_check([](const Counts& counts) { return counts.first == counts.second; }), count);
    CHECK(report.verdict() == Verdict::wrong_result);
    says(report, "the check of its result refused");
    const SweepReport good = check_all_allocation_failures(
        {.allow_recovery = true},
        result_check([](const Counts& counts) { return counts.first == 1; }), count);
    CHECK(good.passed());
}

TEST_CASE("sweep: arguments are handed on, anew for each run") {
    std::vector<std::string> seen;
    const SweepReport report = check_all_allocation_failures(
        [&](Allocator allocator, std::string text, int number) {
            text += std::to_string(number);
            seen.push_back(text);
            return make_owned_slice<int>(allocator, 8).has_value();
        },
        "text", 7);
    CHECK(report.passed());
    CHECK(seen == std::vector<std::string>(4, "text7"));
}

TEST_CASE("sweep: resizes fail as well, once, each, and with everything after them") {
    const SweepReport report = check_all_allocation_failures([](Allocator allocator) {
        auto bytes = allocator.alloc<std::byte>(2000);
        if (!bytes.has_value()) return false;
        const auto shrunk = allocator.realloc(*bytes, 1900);
        allocator.free(shrunk.has_value() ? *shrunk : *bytes);
        return shrunk.has_value();
    });
    INFO(report.message());
    CHECK(report.passed());
    CHECK(report.resize_count() == 1);
    CHECK(report.run_count() == 2 * report.alloc_count() + 3);
}

TEST_CASE("sweep: a function that forgets what a failed realloc leaves behind leaks") {
    const SweepReport report =
        check_all_allocation_failures([](Allocator allocator) -> Result<void> {
            CARBIDE_TRY_LET(bytes, allocator.alloc<std::byte>(2000));
            CARBIDE_TRY_LET(shrunk, allocator.realloc(bytes, 1900));
            allocator.free(shrunk);
            return {};
        });
    CHECK(report.verdict() == Verdict::leaked);
    REQUIRE(report.failed_runs().size() == 1);
    CHECK(report.failed_runs()[0].point ==
          FailurePoint{Kind::resize, 0, Repeat::all_from_there_on});
}

TEST_CASE("sweep: success after a failed resize is no mistake") {
    const SweepReport report =
        check_all_allocation_failures([](Allocator allocator) -> Result<void> {
            CARBIDE_TRY_LET(bytes, allocator.alloc<std::byte>(2000));
            const bool shrunk = allocator.resize(bytes, 1900);
            allocator.free(shrunk ? bytes.first(1900) : bytes);
            return {};
        });
    INFO(report.message());
    CHECK(report.passed());
    CHECK(report.resize_count() == 1);
}

TEST_CASE("sweep: every verdict has a name of its own") {
    std::vector<std::string_view> names;
    for (int i = 0; i <= static_cast<int>(Verdict::passed); ++i) {
        names.push_back(name_of(static_cast<Verdict>(i)));
        CHECK_FALSE(names.back().empty());
    }
    std::ranges::sort(names);
    CHECK(std::ranges::adjacent_find(names) == names.end());
}

}  // namespace
}  // namespace carbide::testing
