// SPDX-License-Identifier: MIT
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <utility>

#include "carbide/testing/test_hooks.hpp"

/// doctest: include this in one file of a test program or in all, and each of its test cases fails
/// of what `carbide::testing::allocator()` found in it; with subcases, each pass through the case
/// is a test of its own. `carbide::testing::skip_memory_check()` in a test leaves that one out.
///
/// With CARBIDE_SWEEP=1 in the environment, or `--carbide-sweep` on the command line, each test
/// runs under the failure sweep as well: once for each of its requests, in a child process in which
/// that request fails. The test's own checks may fail there; what leaks, corrupts memory, crashes
/// or hangs is told. Own what the test allocates, or a check that ends the test early leaks it.
#ifndef DOCTEST_CONFIG_DISABLE
namespace carbide::testing::detail {

/// A doctest listener learns that a test has ended when its result is settled. So this one puts
/// itself in the place of the test's function, and fails from in there.
class DoctestListener : public ::doctest::IReporter {
public:
    explicit DoctestListener(const ::doctest::ContextOptions&) {}

    void test_case_start(const ::doctest::TestCaseData& data) override {
        // doctest registers objects of this class, and none of them are const.
        auto& test =
            const_cast<::doctest::detail::TestCase&>(  // NOLINT(cppcoreguidelines-pro-type-*)
                static_cast<const ::doctest::detail::TestCase&>(data));
        test_ = &test;
        name_ = data.m_name;
        function_ = std::exchange(test.m_test, &run_test);
    }

    void test_case_end(const ::doctest::CurrentTestCaseStats&) override {
        if (test_ != nullptr) test_->m_test = function_;
        test_ = nullptr;
    }

    void report_query(const ::doctest::QueryData&) override {}
    void test_run_start() override {}
    void test_run_end(const ::doctest::TestRunStats&) override {}
    void test_case_reenter(const ::doctest::TestCaseData&) override {}
    void test_case_exception(const ::doctest::TestCaseException&) override {}
    void subcase_start(const ::doctest::SubcaseSignature&) override {}
    void subcase_end() override {}
    void log_assert(const ::doctest::AssertData&) override {}
    void log_message(const ::doctest::MessageData&) override {}
    void test_case_skipped(const ::doctest::TestCaseData&) override {}

private:
    // Ends the test however its function ends; in a child of the sweep it does not return.
    struct End {
        ~End() {
            const TestReport report = end_test();
            if (report.passed()) return;
            DOCTEST_ADD_FAIL_CHECK_AT(test_->m_file.c_str(), static_cast<int>(test_->m_line),
                                      ::doctest::String(report.message().c_str()));
        }
    };

    static void run_test() {
        begin_test(name_);
        const End end;
        function_();
    }

    static inline ::doctest::detail::TestCase* test_ = nullptr;
    static inline std::string name_;
    static inline ::doctest::detail::funcType function_ = nullptr;
};

inline const bool doctest_listens = [] {
    ::doctest::registerReporter<DoctestListener>("carbide", 1, false);
    return true;
}();

}  // namespace carbide::testing::detail
#endif
