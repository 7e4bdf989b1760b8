// SPDX-License-Identifier: MIT
#include "carbide/testing/allocation_failures.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "carbide/allocator.hpp"
#include "carbide/memory_marks.hpp"
#include "carbide/owned_slice.hpp"
#include "carbide/recovery_scope.hpp"
#include "carbide/try.hpp"

namespace carbide::testing {
namespace {

using Kind = FailurePoint::Kind;
using Repeat = FailurePoint::Repeat;

bool says(const SweepReport& report, std::string_view text) {
    INFO(report.message());
    const bool found = report.message().find(text) != std::string::npos;
    CHECK_MESSAGE(found, "expected: ", text);
    return found;
}

// Gives everything back, whatever fails.
Result<int> correct(Allocator allocator) {
    CARBIDE_TRY_LET(first, make_owned_slice<int>(allocator, 8));
    CARBIDE_TRY_LET(second, make_owned_slice<int>(allocator, 8));
    CARBIDE_TRY_LET(third, make_owned_slice<int>(allocator, 8));
    return static_cast<int>(first.size() + second.size() + third.size());
}

Result<void> leaks_first_where_second_fails(Allocator allocator) {
    CARBIDE_TRY_LET(first, allocator.alloc<int>(10));
    CARBIDE_TRY_LET(second, allocator.alloc<int>(20));
    allocator.free(second);
    allocator.free(first);
    return {};
}

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
    says(report, "1 and 2 allocs");
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

// One alloc, and a way to say that it failed.
template <class Return>
SweepReport sweep_of(Return success, Return failure, const SweepOptions& options = {}) {
    return check_all_allocation_failures(options, [&](Allocator allocator) -> Return {
        const auto slice = make_owned_slice<int>(allocator, 8);
        return slice.has_value() ? success : failure;
    });
}

TEST_CASE("sweep: every usual way to report out of memory is understood") {
    CHECK(sweep_of<bool>(true, false).passed());
    CHECK(sweep_of<int>(0, ENOMEM).passed());
    CHECK(sweep_of<int>(0, -ENOMEM).passed());
    CHECK(sweep_of<int>(0, 3).passed());
    CHECK(sweep_of<std::optional<int>>(1, std::nullopt).passed());
    CHECK(
        sweep_of<std::error_code>({}, std::make_error_code(std::errc::not_enough_memory)).passed());
    CHECK(sweep_of<std::error_code>({}, OutOfMemory()).passed());
    static constexpr int object = 0;
    CHECK(sweep_of<const int*>(&object, nullptr).passed());
    CHECK(sweep_of<std::shared_ptr<int>>(std::make_shared<int>(), nullptr).passed());
    using Expected = std::expected<int, ParseError>;
    CHECK(sweep_of<Expected>(1, std::unexpected(ParseError::out_of_memory)).passed());
    using ExpectedCode = std::expected<void, std::error_code>;
    CHECK(sweep_of<ExpectedCode>({}, std::unexpected(std::error_code(OutOfMemory()))).passed());
    using ExpectedText = std::expected<void, std::string>;
    CHECK(sweep_of<ExpectedText>({}, std::unexpected("no memory")).passed());
}

TEST_CASE("sweep: every usual way to claim success is understood") {
    CHECK(sweep_of<bool>(true, true).verdict() == Verdict::swallowed);
    CHECK(sweep_of<int>(0, 0).verdict() == Verdict::swallowed);
    CHECK(sweep_of<std::optional<int>>(1, 1).verdict() == Verdict::swallowed);
    CHECK(sweep_of<std::error_code>({}, {}).verdict() == Verdict::swallowed);
    CHECK(sweep_of<std::expected<int, ParseError>>(1, 1).verdict() == Verdict::swallowed);
    CHECK(sweep_of<std::size_t>(1, 0).verdict() == Verdict::swallowed);
    const SweepReport nothing = check_all_allocation_failures(
        [](Allocator allocator) { static_cast<void>(make_owned_slice<int>(allocator, 8)); });
    CHECK(nothing.verdict() == Verdict::swallowed);
}

TEST_CASE("sweep: with a code for out of memory every other code is a wrong result") {
    CHECK(sweep_of<int>(0, 3, {.out_of_memory_code = 3}).passed());
    CHECK(sweep_of<int>(0, 4, {.out_of_memory_code = 3}).verdict() == Verdict::wrong_result);
    const auto other = std::make_error_code(std::errc::io_error);
    CHECK(sweep_of<std::error_code>({}, other).verdict() == Verdict::wrong_result);
}

struct UserError {
    explicit UserError(OutOfMemory) noexcept : code(1) {}
    explicit UserError(int other) noexcept : code(other) {}
    int code;
    bool operator==(const UserError&) const = default;
};

TEST_CASE("sweep: an error type made from OutOfMemory tells it from its other errors") {
    using Expected = std::expected<void, UserError>;
    CHECK(sweep_of<Expected>({}, std::unexpected(UserError(OutOfMemory()))).passed());
    CHECK(sweep_of<Expected>({}, std::unexpected(UserError(2))).verdict() == Verdict::wrong_result);
}

TEST_CASE("sweep: std::bad_alloc is out of memory, and another exception a wrong result") {
    const auto throwing = [](bool right) {
        return [right](Allocator allocator) {
            const auto slice = make_owned_slice<int>(allocator, 8);
            if (slice.has_value()) return;
            if (right) throw std::bad_alloc();
            throw std::runtime_error("no slice");
        };
    };
    CHECK(check_all_allocation_failures(throwing(true)).passed());
    const SweepReport report = check_all_allocation_failures(throwing(false));
    CHECK(report.verdict() == Verdict::wrong_result);
    says(report, "exception: no slice");
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

TEST_CASE("sweep: `only` fails one request, and one that does not exist is told") {
    const SweepReport report =
        check_all_allocation_failures({.only = "alloc:1:once"}, leaks_first_where_second_fails);
    CHECK(report.run_count() == 1);
    CHECK(report.failed_runs().size() == 1);
    const SweepReport other =
        check_all_allocation_failures({.only = "alloc:0:all"}, leaks_first_where_second_fails);
    CHECK(other.passed());
    const SweepReport none =
        check_all_allocation_failures({.only = "alloc:2:once"}, leaks_first_where_second_fails);
    CHECK(none.verdict() == Verdict::not_run);
    says(none, "no such request");
}

TEST_CASE("sweep: a malformed point is told, and nothing runs") {
    for (const char* const only : {"", "17", "alloc", "alloc:x:once", "alloc:1", "alloc:1:twice",
                                   "free:1:once", "alloc:1:once:", "alloc:-1:once"}) {
        const SweepReport report = check_all_allocation_failures({.only = only}, correct);
        INFO(only);
        CHECK(report.verdict() == Verdict::not_run);
        CHECK(report.run_count() == 0);
        says(report, "should be like 'alloc:17:once'");
    }
}

TEST_CASE("sweep: the environment comes before the options") {
    setenv("CARBIDE_SWEEP_ONLY", "alloc:1:all", 1);
    const SweepReport report =
        check_all_allocation_failures({.only = "alloc:0:once"}, leaks_first_where_second_fails);
    setenv("CARBIDE_SWEEP_ONLY", "nonsense", 1);
    const SweepReport malformed = check_all_allocation_failures(correct);
    unsetenv("CARBIDE_SWEEP_ONLY");
    REQUIRE(report.failed_runs().size() == 1);
    CHECK(report.failed_runs()[0].point == FailurePoint{Kind::alloc, 1, Repeat::all_from_there_on});
    says(malformed, "CARBIDE_SWEEP_ONLY is 'nonsense'");

    setenv("CARBIDE_SWEEP_SAMPLE", "1", 1);
    const SweepReport sampled = check_all_allocation_failures(correct);
    setenv("CARBIDE_SWEEP_SAMPLE", "many", 1);
    const SweepReport no_number = check_all_allocation_failures(correct);
    unsetenv("CARBIDE_SWEEP_SAMPLE");
    CHECK(sampled.run_count() == 1);
    says(no_number, "CARBIDE_SWEEP_SAMPLE is 'many'");
}

Result<void> many(Allocator allocator, int count) {
    for (int i = 0; i < count; ++i) {
        CARBIDE_TRY_LET(slice, allocator.alloc<int>(1));
        allocator.free(slice);
    }
    return {};
}

TEST_CASE("sweep: a sample has the wanted size, and its seed is in the message") {
    const SweepReport report =
        check_all_allocation_failures({.sample_count = 10, .seed = 5}, [](Allocator allocator) {
            static_cast<void>(many(allocator, 50));
            return true;
        });
    CHECK(report.run_count() == 10);
    CHECK(report.count(Verdict::swallowed) == 10);
    says(report, "a sample, seed 5");
    std::vector<std::size_t> indices;
    for (const FailedRun& run : report.failed_runs()) indices.push_back(run.point->index);
    CHECK(std::ranges::is_sorted(indices));
    CHECK(indices.back() - indices.front() > 10);
}

TEST_CASE("sweep: another seed is another sample") {
    const auto sample = [](std::uint64_t seed) {
        const SweepReport report = check_all_allocation_failures(
            {.sample_count = 5, .seed = seed}, [](Allocator allocator) {
                static_cast<void>(many(allocator, 50));
                return true;
            });
        std::string text;
        for (const FailedRun& run : report.failed_runs()) text += run.point->to_string() + " ";
        return text;
    };
    CHECK(sample(1) == sample(1));
    CHECK(sample(1) != sample(2));
}

// A stack of numbers that grows by hand.
class Numbers {
public:
    explicit Numbers(Allocator allocator) noexcept : allocator_(allocator) {}
    ~Numbers() { allocator_.free(items_); }
    Numbers(const Numbers&) = delete;
    Numbers& operator=(const Numbers&) = delete;

    Result<void> push(int number, bool forgetful) {
        if (forgetful) ++size_;
        if (size_ + (forgetful ? 0 : 1) > items_.size()) {
            CARBIDE_TRY_LET(grown, allocator_.realloc(items_, items_.size() * 2 + 1));
            items_ = grown;
        }
        if (!forgetful) ++size_;
        items_[size_ - 1] = number;
        return {};
    }
    [[nodiscard]] std::vector<int> content() const { return {items_.begin(), items_.end()}; }
    [[nodiscard]] std::size_t size() const { return size_; }

private:
    Allocator allocator_;
    std::span<int> items_;
    std::size_t size_ = 0;
};

SweepReport strong_guarantee_of_push(bool forgetful) {
    return check_strong_guarantee([](Allocator allocator) { return Numbers(allocator); },
                                  [forgetful](Numbers& numbers, Allocator) -> Result<void> {
                                      return numbers.push(3, forgetful);
                                  },
                                  [](const Numbers& numbers) { return numbers.size(); });
}

TEST_CASE("sweep: an object that a failed operation has changed breaks the strong guarantee") {
    const SweepReport good = strong_guarantee_of_push(false);
    INFO(good.message());
    CHECK(good.passed());
    CHECK(good.alloc_count() == 1);
    const SweepReport bad = strong_guarantee_of_push(true);
    CHECK(bad.verdict() == Verdict::changed);
    says(bad, "the object is not as it was before");
}

TEST_CASE("sweep: what builds the object is neither counted nor failed") {
    const SweepReport report = check_strong_guarantee(
        [](Allocator allocator) {
            auto slice = make_owned_slice<int>(allocator, 8);
            REQUIRE(slice.has_value());
            return std::move(*slice);
        },
        [](OwnedSlice<int>&, Allocator allocator) {
            return make_owned_slice<int>(allocator, 1).has_value();
        },
        [](const OwnedSlice<int>& slice) { return slice.size(); });
    INFO(report.message());
    CHECK(report.passed());
    CHECK(report.alloc_count() == 1);
}

struct AsksInTheEnd {
    Allocator allocator;
    bool* failed;
    ~AsksInTheEnd() { *failed = *failed || !make_owned_slice<int>(allocator, 1).has_value(); }
};

TEST_CASE("sweep: what ends the object is not failed either") {
    bool failed = false;
    const SweepReport report = check_strong_guarantee(
        [&](Allocator allocator) { return AsksInTheEnd{allocator, &failed}; },
        [](AsksInTheEnd&, Allocator allocator) {
            return make_owned_slice<int>(allocator, 1).has_value();
        },
        [](const AsksInTheEnd&) { return 0; });
    INFO(report.message());
    CHECK(report.passed());
    CHECK_FALSE(failed);
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
