// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <unistd.h>

#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <string_view>

#include "carbide/memory_marks.hpp"
#include "carbide/owned_slice.hpp"
#include "carbide/testing/allocation_failures.hpp"
#include "carbide/try.hpp"
#include "platform/libbacktrace.hpp"
#include "testing/swept_functions.hpp"

namespace carbide::testing {
namespace {

[[gnu::noinline]] void crash_where_null(volatile int* number) { *number = 1; }

// Forgets to look at the second result.
Result<void> crashes_where_second_fails(Allocator allocator) {
    CARBIDE_TRY_LET(first, make_owned_slice<int>(allocator, 8));
    auto second = make_owned_slice<int>(allocator, first.size());
    crash_where_null(second.has_value() ? second->data() : nullptr);
    if (!second.has_value()) return std::unexpected(second.error());
    return {};
}

TEST_CASE("isolated sweep: a correct function passes, and results cross the border") {
    const SweepReport report =
        check_all_allocation_failures({.isolate = true}, [](Allocator allocator) -> Result<int> {
            CARBIDE_TRY_LET(first, make_owned_slice<int>(allocator, 8));
            CARBIDE_TRY_LET(second, make_owned_slice<int>(allocator, 8));
            return static_cast<int>(first.size() + second.size());
        });
    INFO(report.message());
    CHECK(report.passed());
    CHECK(report.alloc_count() == 2);
    CHECK(report.run_count() == 4);
}

TEST_CASE("isolated sweep: a leak in the child is told here") {
    const SweepReport report =
        check_all_allocation_failures({.isolate = true}, [](Allocator allocator) -> Result<void> {
            CARBIDE_TRY_LET(first, allocator.alloc<int>(10));
            CARBIDE_TRY_LET(second, allocator.alloc<int>(20));
            allocator.free(second);
            allocator.free(first);
            return {};
        });
    CHECK(report.verdict() == Verdict::leaked);
    CHECK(report.finding() == FindingKind::leak);
    CHECK(report.count(Verdict::leaked) == 2);
    says(report, "the failure was induced here:\n");
    says(report, "what was found:\n");
}

TEST_CASE("isolated sweep: a crash is told with its signal and both places") {
    const SweepReport report =
        check_all_allocation_failures({.isolate = true}, crashes_where_second_fails);
    CHECK(report.verdict() == Verdict::crashed);
    CHECK(report.count(Verdict::crashed) == 2);
    REQUIRE_FALSE(report.failed_runs().empty());
    CHECK(report.failed_runs()[0].point->to_string() == "alloc:1:once");
    says(report, "crashed: alloc 1 failed, once\n");
#if CARBIDE_ASAN
    says(report, "runtime error: store to null pointer");  // UBSan comes first, and ends it.
#else
    says(report, "signal 11 (Segmentation fault)");
    says(report, "the failure was induced here:\n");
    says(report, "it crashed here:\n");
    if (platform::libbacktrace::is_linked_in()) {
        const std::size_t place = report.message().find("it crashed here:\n");
        const std::string stack = report.message().substr(place, 200);
        CHECK(stack.find("    #0 ") != std::string::npos);
        CHECK(stack.substr(stack.find("    #0 "), 100).find("crash_where_null") !=
              std::string::npos);
    }
#endif
}

TEST_CASE("isolated sweep: what the child printed before it crashed is in the message") {
    const SweepReport report =
        check_all_allocation_failures({.isolate = true}, [](Allocator allocator) {
            const auto slice = make_owned_slice<int>(allocator, 8);
            if (slice.has_value()) return true;
            std::fputs("invariant broken\n", stderr);
            std::abort();
        });
    CHECK(report.verdict() == Verdict::crashed);
    says(report, "signal 6 (Aborted)");
    says(report, "invariant broken");
}

TEST_CASE("isolated sweep: a function that ends the process has crashed") {
    const SweepReport report =
        check_all_allocation_failures({.isolate = true}, [](Allocator allocator) {
            const auto slice = make_owned_slice<int>(allocator, 8);
            if (!slice.has_value()) _exit(3);
            return true;
        });
    CHECK(report.verdict() == Verdict::crashed);
    says(report,
         "crashed: alloc 0 failed, once\n"
         "    the process was ended with status 3 in the middle of the run\n");
}

TEST_CASE("isolated sweep: where a function calls exit, it is told where, and for which failure") {
    const SweepReport report =
        check_all_allocation_failures({.isolate = true}, [](Allocator allocator) {
            const auto slice = make_owned_slice<int>(allocator, 8);
            if (!slice.has_value()) std::exit(3);
            return true;
        });
    CHECK(report.verdict() == Verdict::crashed);
    says(report, "ended with status 3 in the middle of the run");
    says(report, "the failure was induced here:\n");
    says(report, "it ended here:\n");
    CHECK(report.message().find("ended_the_process") == std::string::npos);
}

TEST_CASE("isolated sweep: a killed function has crashed, and this process lives") {
    const SweepReport report =
        check_all_allocation_failures({.isolate = true}, [](Allocator allocator) {
            const auto slice = make_owned_slice<int>(allocator, 8);
            if (!slice.has_value()) raise(SIGTERM);
            return true;
        });
    CHECK(report.verdict() == Verdict::crashed);
    says(report, "signal 15");
}

TEST_CASE("isolated sweep: what runs longer than the limit hangs, and is stopped") {
    const std::time_t begin = std::time(nullptr);
    const SweepReport report = check_all_allocation_failures(
        {.isolate = true, .time_limit_ms = 200}, [](Allocator allocator) {
            const auto slice = make_owned_slice<int>(allocator, 8);
            for (volatile bool waiting = !slice.has_value(); waiting;) {
            }
            return true;
        });
    CHECK(report.verdict() == Verdict::hung);
    says(report, "hung: alloc 0 failed, once\n");
#ifndef __SANITIZE_THREAD__
    // ThreadSanitizer puts signals off until the loop would call something, which it never does.
    says(report, "it was stopped here:\n");
#endif
    CHECK(std::time(nullptr) - begin < 20);
}

TEST_CASE("isolated sweep: a function that blocks signals is stopped all the same") {
    const SweepReport report = check_all_allocation_failures(
        {.isolate = true, .time_limit_ms = 50}, [](Allocator allocator) {
            const auto slice = make_owned_slice<int>(allocator, 8);
            if (slice.has_value()) return true;
            sigset_t all;
            sigfillset(&all);
            sigprocmask(SIG_BLOCK, &all, nullptr);
            for (;;) pause();
        });
    CHECK(report.verdict() == Verdict::hung);
}

TEST_CASE("isolated sweep: after three hung runs it gives up") {
    const SweepReport report = check_all_allocation_failures(
        {.isolate = true, .time_limit_ms = 50}, [](Allocator allocator) {
            for (int i = 0; i < 5; ++i) {
                const auto slice = make_owned_slice<int>(allocator, 8);
                for (volatile bool waiting = !slice.has_value(); waiting;) {
                }
            }
            return true;
        });
    CHECK(report.count(Verdict::hung) == 3);
    CHECK(report.run_count() == 3);
    says(report, "gave up, because too many hung");
}

TEST_CASE("isolated sweep: a crash without any failure is told as that") {
    const SweepReport report = check_all_allocation_failures(
        {.isolate = true}, [](Allocator) { crash_where_null(nullptr); });
    CHECK(report.verdict() == Verdict::crashed);
    REQUIRE(report.failed_runs().size() == 1);
    CHECK_FALSE(report.failed_runs()[0].point.has_value());
    says(report, "crashed: without any failure\n");
}

Result<void> overreads_where_second_fails(Allocator allocator) {
    CARBIDE_TRY_LET(first, make_owned_slice<int>(allocator, 16));
    const auto second = make_owned_slice<int>(allocator, 16);
    const volatile int* const numbers = first.data();
    if (!second.has_value()) static_cast<void>(numbers[16]);
    if (!second.has_value()) return std::unexpected(second.error());
    return {};
}

#if CARBIDE_ASAN
TEST_CASE("isolated sweep: what AddressSanitizer stops is a crash with its report") {
    const SweepReport report =
        check_all_allocation_failures({.isolate = true}, overreads_where_second_fails);
    CHECK(report.verdict() == Verdict::crashed);
    says(report, "SUMMARY: AddressSanitizer");
    says(report, "the failure was induced here:\n");
    says(report, "it ended here:\n");
}
#else
// AddressSanitizer reports the fault itself, and ends the process before our handlers see it.
TEST_CASE("isolated sweep: in guard mode a wrong read is a crash with its finding") {
    const SweepReport report = check_all_allocation_failures(
        {.isolate = true, .guard = DebugAllocator::Guard::behind}, overreads_where_second_fails);
    CHECK(report.verdict() == Verdict::crashed);
    CHECK(report.finding() == FindingKind::out_of_bounds_access);
    says(report, "what was found:\n");
    says(report, "it crashed here:\n");
}
#endif

TEST_CASE("isolated sweep: what a run changes outside of it stays in its child") {
    int calls = 0;
    const SweepReport report =
        check_all_allocation_failures({.isolate = true}, [&](Allocator allocator) {
            ++calls;
            return make_owned_slice<int>(allocator, 8).has_value();
        });
    CHECK(report.passed());
    CHECK(calls == 0);
}

TEST_CASE("isolated sweep: what the children print stays out of this program's output") {
    const SweepReport report =
        check_all_allocation_failures({.isolate = true}, [](Allocator allocator) {
            std::puts("noise");
            std::fputs("noise\n", stderr);
            return make_owned_slice<int>(allocator, 8).has_value();
        });
    INFO(report.message());
    CHECK(report.passed());
}

}  // namespace
}  // namespace carbide::testing
