// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "carbide/allocator.hpp"
#include "carbide/testing/allocation_failures.hpp"
#include "carbide/try.hpp"
#include "testing/swept_functions.hpp"

// Which of the failures run: all, one, or a sample.
namespace carbide::testing {
namespace {

using Kind = FailurePoint::Kind;
using Repeat = FailurePoint::Repeat;

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
    CHECK(none.message() ==
          "carbide: check_all_allocation_failures: nothing was failed\n\n"
          "not run: alloc 2 failed, once\n    there is no such request\n");
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

TEST_CASE("sweep: a sample of nothing is told, because it would show nothing") {
    const SweepReport report = check_all_allocation_failures({.sample_count = 0}, correct);
    CHECK(report.message() ==
          "carbide: check_all_allocation_failures: nothing was failed\n\n"
          "not run\n    the sample is of 0 runs, which would show nothing\n");
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

}  // namespace
}  // namespace carbide::testing
