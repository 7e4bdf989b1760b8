// SPDX-License-Identifier: MIT
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "carbide/testing/test_hooks.hpp"

/// GoogleTest: include this in one file of a test program or in all, and each of its tests fails of
/// what `carbide::testing::allocator()` found in it, from the constructor of the fixture to its
/// destructor. `carbide::testing::skip_memory_check()` in a test leaves that one out.
///
/// With CARBIDE_SWEEP=1 in the environment, or `--carbide-sweep` on the command line, each test
/// runs under the failure sweep as well: once for each of its requests, in a child process in which
/// that request fails. The test's own checks may fail there; what leaks, corrupts memory, crashes
/// or hangs is told. Own what the test allocates, or a check that ends the test early leaks it.
namespace carbide::testing::detail {

class GoogleTestListener : public ::testing::EmptyTestEventListener {
    void OnTestStart(const ::testing::TestInfo& info) override {
        begin_test(std::string(info.test_suite_name()) + "." + info.name());
    }

    void OnTestEnd(const ::testing::TestInfo& info) override {
        const TestReport report = end_test();
        if (report.passed()) return;
        const char* const file = info.file();
        ADD_FAILURE_AT(file != nullptr ? file : "", info.line()) << report.message();
    }
};

// GoogleTest owns its listeners, and calls later ones first when a test ends: so its own printer
// sees the failure before it says how the test ended.
inline const bool googletest_listens = [] {
    ::testing::UnitTest::GetInstance()->listeners().Append(new GoogleTestListener);
    return true;
}();

}  // namespace carbide::testing::detail
