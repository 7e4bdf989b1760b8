// SPDX-License-Identifier: MIT
#include "carbide/testing/testing_allocator.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <cstring>
#include <span>
#include <string>

#include "carbide/memory_marks.hpp"
#include "carbide/testing/allocator_contract.hpp"
#include "support/child_process.hpp"

namespace carbide::testing {
namespace {

bool says(const TestReport& report, const std::string& text) {
    INFO(report.message());
    const bool found = report.message().find(text) != std::string::npos;
    CHECK_MESSAGE(found, "expected: ", text);
    return found;
}

TEST_CASE("testing allocator: keeps the contract, from several threads as well") {
    TestingAllocator testing;
    const auto contract = check_allocator_contract(testing.allocator());
    INFO(std::string(contract.message()));
    CHECK(contract.passed());
    const auto shared = check_shared_allocator(testing.allocator());
    INFO(std::string(shared.message()));
    CHECK(shared.passed());
    const TestReport report = testing.finish();
    INFO(report.message());
    CHECK(report.passed());
}

TEST_CASE("testing allocator: what is freed leaves no report") {
    TestingAllocator testing;
    testing.allocator().free(testing.allocator().must_alloc<int>(10));
    const TestReport report = testing.finish();
    CHECK(report.passed());
    CHECK(report.message().empty());
    CHECK(report.finding_count() == 0);
    CHECK_FALSE(report.leaked());
    CHECK_FALSE(report.first_finding().has_value());
}

TEST_CASE("testing allocator: a leak is in the report, with its size") {
    TestingAllocator testing;
    static_cast<void>(testing.allocator().must_alloc<char>(1234));
    const TestReport report = testing.finish();
    CHECK_FALSE(report.passed());
    CHECK(report.leaked());
    CHECK(report.finding_count() == 1);
    CHECK(report.first_finding() == FindingKind::leak);
    says(report, "1,234 bytes");
    says(report, "'testing'");
}

TEST_CASE("testing allocator: a double free is in the report, and comes before the leak") {
    TestingAllocator testing;
    static_cast<void>(testing.allocator().must_alloc<char>(10));
    const auto slice = testing.allocator().must_alloc<char>(20);
    testing.allocator().free(slice);
    testing.allocator().free(slice);
    const TestReport report = testing.finish();
    CHECK(report.first_finding() == FindingKind::double_free);
    CHECK(report.leaked());
    CHECK(report.finding_count() == 2);
}

TEST_CASE("testing allocator: an overrun is a finding, whatever the build") {
    TestingAllocator testing({.mark_for_checkers = false});
    const auto slice = testing.allocator().must_alloc<char>(20);
    volatile char* const bytes = slice.data();
    bytes[20] = 'x';
    testing.allocator().free(slice);
    CHECK(testing.finish().first_finding() == FindingKind::write_after);
}

TEST_CASE("testing allocator: a write after free is a finding, whatever the build") {
    TestingAllocator testing({.mark_for_checkers = false});
    const auto slice = testing.allocator().must_alloc<char>(20);
    volatile char* const bytes = slice.data();
    testing.allocator().free(slice);
    bytes[3] = 'x';
    CHECK(testing.finish().first_finding() == FindingKind::write_after_free);
}

TEST_CASE("testing allocator: planned failures are out of memory, and no finding") {
    TestingAllocator testing;
    testing.failing().rearm({.alloc_index = 0});
    CHECK_FALSE(testing.allocator().alloc<int>(1).has_value());
    CHECK(testing.failing().has_induced_failure());
    CHECK(testing.finish().passed());
}

TEST_CASE("testing allocator: the limit is out of memory") {
    TestingAllocator testing({.limit_bytes = 100});
    CHECK_FALSE(testing.allocator().alloc<char>(101).has_value());
    testing.allocator().free(testing.allocator().must_alloc<char>(100));
    CHECK(testing.finish().passed());
}

TEST_CASE("testing allocator: finished, it tells the same again and lends nothing") {
    TestingAllocator testing;
    static_cast<void>(testing.allocator().must_alloc<char>(10));
    const TestReport first = testing.finish();
    const TestReport second = testing.finish();
    CHECK(first.message() == second.message());
    CHECK(second.leaked());
    CHECK_FALSE(testing.allocator().alloc<int>(1).has_value());
}

TEST_CASE("testing allocator: a report that nobody looked at stops the program") {
    const auto leaky = tests::run_in_child([] {
        TestingAllocator testing;
        static_cast<void>(testing.allocator().must_alloc<char>(10));
    });
    CHECK(leaky.signal == SIGABRT);
    CHECK(leaky.wrote("leak"));
    CHECK(leaky.wrote("nobody looked at the report"));
    const auto clean = tests::run_in_child([] {
        TestingAllocator testing;
        testing.allocator().free(testing.allocator().must_alloc<char>(10));
    });
    CHECK(clean.signal == 0);
    CHECK(clean.stderr_text.empty());
}

TEST_CASE("test report: another one is added to it, and a leak is never the first finding") {
    TestingAllocator leaking;
    static_cast<void>(leaking.allocator().must_alloc<char>(10));
    TestReport report = leaking.finish();
    TestingAllocator freeing;
    const auto slice = freeing.allocator().must_alloc<char>(20);
    freeing.allocator().free(slice);
    freeing.allocator().free(slice);
    report.add(freeing.finish());
    CHECK(report.finding_count() == 2);
    CHECK(report.leaked());
    CHECK(report.first_finding() == FindingKind::double_free);
    report.add("more text");
    says(report, "more text\n");
}

}  // namespace
}  // namespace carbide::testing
