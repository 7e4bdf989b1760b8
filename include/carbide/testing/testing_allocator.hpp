// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "carbide/debug_allocator.hpp"
#include "carbide/failing_allocator.hpp"

namespace carbide::testing {

class FindingLog;

/// What was found while a test ran.
class [[nodiscard]] TestReport {
public:
    [[nodiscard]] bool passed() const noexcept { return message_.empty(); }
    explicit operator bool() const noexcept { return passed(); }

    /// Every finding with its call stacks; empty where there was none.
    [[nodiscard]] const std::string& message() const noexcept { return message_; }

    /// Leaks count by the place that allocated.
    [[nodiscard]] std::size_t finding_count() const noexcept { return finding_count_; }
    [[nodiscard]] bool leaked() const noexcept { return leaked_; }

    /// A leak counts as the last of all.
    [[nodiscard]] std::optional<FindingKind> first_finding() const noexcept {
        return first_finding_;
    }

    /// Adds what another has found, or nobody: for the kit.
    void add(const TestReport& other);
    void add(const FindingLog& log);
    void add(const std::string& text);

private:
    std::string message_;
    std::size_t finding_count_ = 0;
    bool leaked_ = false;
    std::optional<FindingKind> first_finding_;
};

/// What a test injects: everything that leaks, is freed wrongly or overrun is in its report.
///
/// With one of the adapters (googletest.hpp, catch2.hpp, doctest.hpp)
/// `carbide::testing::allocator()` is the handle of one that belongs to the running test, whose
/// report fails that test. Make one yourself where a test wants several, or no adapter fits:
///
///     TestingAllocator testing;
///     parse(testing.allocator(), text);
///     const auto report = testing.finish();
///     ASSERT_TRUE(report.passed()) << report.message();
///
/// Memory         A `FailingAllocator` over a `DebugAllocator` with every check on.
/// Ownership      Owns what it lends until `finish()`.
/// Out of memory  As planned with `failing()`, else when the system is.
/// Threads        Any number.
/// Cost           That of the DebugAllocator.
/// Source         Zig 0.15 `std.testing.allocator`.
class TestingAllocator {
public:
    struct Options {
        /// Frames per call stack. 0: no stacks.
        unsigned stack_frame_count = 16;

        /// The most that may be lent out at once, in requested bytes.
        std::size_t limit_bytes = DebugAllocator::no_limit;

        /// Protected pages beside each allocation: a wrong read or write crashes when it happens.
        DebugAllocator::Guard guard = DebugAllocator::Guard::off;

        /// AddressSanitizer and Valgrind, where they watch, stop at a wrong access themselves.
        /// False: it is a finding there, too.
        bool mark_for_checkers = true;

        const char* name = "testing";
    };

    TestingAllocator();
    explicit TestingAllocator(const Options& options);

    /// As `finish()`, where that was not called. What is found then fails the running test of an
    /// adapter, and without one is printed and stops the program: nobody else would look at it.
    ~TestingAllocator();

    /// The handle to inject. Valid as long as this object.
    [[nodiscard]] Allocator allocator() noexcept { return failing_.allocator(); }

    /// To plan failures, and to look at counts.
    [[nodiscard]] FailingAllocator& failing() noexcept { return failing_; }
    [[nodiscard]] DebugAllocator& debug() noexcept { return debug_; }

    /// For the kit: what was found so far.
    [[nodiscard]] const FindingLog& log() const noexcept { return *log_; }

    /// What was found so far, leaks included: whatever is still lent out is one, and goes back to
    /// the system. Later requests are out of memory.
    TestReport finish();

private:
    std::unique_ptr<FindingLog> log_;
    DebugAllocator debug_;
    FailingAllocator failing_;
    bool finished_ = false;
};

/// The handle of the running test's TestingAllocator, for any of its threads. Stops the program
/// where no test runs: include the adapter of your test framework in one of its files.
[[nodiscard]] Allocator allocator() noexcept;

/// What is found in the running test does not fail it, and it is not swept.
void skip_memory_check() noexcept;

}  // namespace carbide::testing
