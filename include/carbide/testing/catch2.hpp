// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <utility>

#if __has_include(<catch2/reporters/catch_reporter_event_listener.hpp>)
#include <catch2/catch_test_case_info.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/internal/catch_assertion_handler.hpp>
#include <catch2/reporters/catch_reporter_event_listener.hpp>
#include <catch2/reporters/catch_reporter_registrars.hpp>
#define CARBIDE_CATCH2_VERSION 3
#else
// Catch2 2 hides what listeners need, unless the file that first includes it asks.
#if !defined(CATCH_CONFIG_MAIN) && !defined(CATCH_CONFIG_RUNNER) && \
    !defined(CATCH_CONFIG_EXTERNAL_INTERFACES)
#ifdef CATCH_VERSION_MAJOR
#error \
    "include carbide/testing/catch2.hpp before catch2/catch.hpp, or in the file with CATCH_CONFIG_MAIN"
#endif
#define CATCH_CONFIG_EXTERNAL_INTERFACES
#endif
#include <catch2/catch.hpp>
#define CARBIDE_CATCH2_VERSION 2
#endif

#include "carbide/testing/test_hooks.hpp"

/// Catch2, version 2 and 3: include this in one file of a test program, and each of its test cases
/// fails of what `carbide::testing::allocator()` found in it; with sections, each pass through the
/// case is a test of its own. `carbide::testing::skip_memory_check()` in a test leaves that one
/// out.
///
/// With CARBIDE_SWEEP=1 in the environment each test runs under the failure sweep as well: once for
/// each of its requests, in a child process in which that request fails. The test's own checks may
/// fail there; what leaks, corrupts memory, crashes or hangs is told. Own what the test allocates,
/// or a check that ends the test early leaks it.
namespace carbide::testing::detail {

#if CARBIDE_CATCH2_VERSION == 3
using Catch2ListenerBase = Catch::EventListenerBase;
#else
using Catch2ListenerBase = Catch::TestEventListenerBase;
#endif

class Catch2Listener : public Catch2ListenerBase {
public:
    using Catch2ListenerBase::Catch2ListenerBase;

    void testCaseStarting(const Catch::TestCaseInfo& info) override {
        Catch2ListenerBase::testCaseStarting(info);
        depth_ = 0;
    }

    // The outermost section of each pass is the test case itself.
    void sectionStarting(const Catch::SectionInfo& info) override {
        Catch2ListenerBase::sectionStarting(info);
        if (depth_++ == 0) begin_test(std::string(info.name));
    }

    // The last event before Catch2 counts what has failed.
    void sectionEnded(const Catch::SectionStats& stats) override {
        if (--depth_ == 0 && !crashed_) {
            const TestReport report = end_test();
            if (!report.passed()) fail(stats.sectionInfo.lineInfo, report.message());
        }
        Catch2ListenerBase::sectionEnded(stats);
    }

    // After a signal Catch2 ends all sections from within its handler. (The return type is version
    // 2's or 3's.)
    auto assertionEnded(const Catch::AssertionStats& stats)
        -> decltype(std::declval<Catch2ListenerBase&>().assertionEnded(stats)) override {
        const auto type = stats.assertionResult.getResultType();
        if (type == Catch::ResultWas::FatalErrorCondition) crashed_ = true;
        return Catch2ListenerBase::assertionEnded(stats);
    }

private:
    static void fail(const Catch::SourceLineInfo& place, const std::string& message) {
        Catch::AssertionHandler handler("memory check", place, Catch::StringRef(),
                                        Catch::ResultDisposition::ContinueOnFailure);
        handler.handleMessage(Catch::ResultWas::ExplicitFailure, std::string(message));
        handler.complete();
    }

    int depth_ = 0;
    bool crashed_ = false;
};

#if CARBIDE_CATCH2_VERSION == 3
inline const Catch::ListenerRegistrar<Catch2Listener> catch2_listens{Catch::StringRef("carbide")};
#else
inline const Catch::ListenerRegistrar<Catch2Listener> catch2_listens;
#endif

}  // namespace carbide::testing::detail
