// SPDX-License-Identifier: MIT
#include "carbide/testing/test_hooks.hpp"

#include <doctest/doctest.h>

#include <string>
#include <thread>
#include <vector>

#include "support/child_process.hpp"

namespace carbide::testing {
namespace {

TEST_CASE("test hooks: what the running test's allocator finds is in the report of that test") {
    begin_test("first");
    static_cast<void>(allocator().must_alloc<char>(10));
    const TestReport first = end_test();
    CHECK(first.leaked());

    begin_test("second");
    allocator().free(allocator().must_alloc<char>(10));
    const TestReport second = end_test();
    INFO(second.message());
    CHECK(second.passed());
}

TEST_CASE("test hooks: threads of a test share its allocator") {
    begin_test("threads");
    std::span<char> slice;
    std::thread([&] { slice = allocator().must_alloc<char>(10); }).join();
    std::thread([&] { allocator().free(slice); }).join();
    CHECK(end_test().passed());
}

TEST_CASE("test hooks: a test that skips the check passes") {
    begin_test("skips");
    skip_memory_check();
    static_cast<void>(allocator().must_alloc<char>(10));
    CHECK(end_test().passed());
    begin_test("does not");
    static_cast<void>(allocator().must_alloc<char>(10));
    CHECK_FALSE(end_test().passed());
}

TEST_CASE("test hooks: a TestingAllocator that ends unasked fails the running test") {
    begin_test("two allocators");
    {
        TestingAllocator testing({.name = "another"});
        static_cast<void>(testing.allocator().must_alloc<char>(10));
    }
    const TestReport report = end_test();
    CHECK(report.leaked());
    CHECK(report.message().find("'another'") != std::string::npos);
}

TEST_CASE("test hooks: no test had begun, and all is well") { CHECK(end_test().passed()); }

TEST_CASE("test hooks: a handle that outlives its test is out of memory") {
    begin_test("ends");
    const Allocator kept = allocator();
    CHECK(end_test().passed());
    CHECK_FALSE(kept.alloc<char>(10).has_value());
}

TEST_CASE("test hooks: without a test the allocator stops the program, and says what to include") {
    const auto result = tests::run_in_child([] { static_cast<void>(allocator()); });
    CHECK(result.trapped());
    CHECK(result.wrote("carbide: no test is running"));
    CHECK(result.wrote("carbide/testing/googletest.hpp"));
}

TEST_CASE("test hooks: tests do not overlap") {
    const auto result = tests::run_in_child([] {
        begin_test("first");
        begin_test("second");
    });
    CHECK(result.trapped());
    CHECK(result.wrote("a test began while another one was running"));
}

}  // namespace
}  // namespace carbide::testing
