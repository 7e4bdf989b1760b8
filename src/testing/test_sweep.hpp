// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>

#include "carbide/testing/allocation_failures.hpp"
#include "carbide/testing/testing_allocator.hpp"
#include "testing/isolated_run.hpp"

namespace carbide::testing {

/// Whether the tests of this program are to run under the failure sweep: the environment or the
/// command line says so, and this is no process that a test has started to see it die.
[[nodiscard]] bool test_sweep_is_requested();

/// Runs a test once for each of its requests, in a child in which that request fails.
class TestSweep {
public:
    /// What the test injects; unused so far.
    explicit TestSweep(TestingAllocator& testing) noexcept : testing_(testing) {}

    /// Returns true in each child, which then runs the test up to `end_child`, and false in the
    /// parent, when all children have ended.
    [[nodiscard]] bool run_children(const std::string& test_name);

    /// Ends the child.
    [[noreturn]] void end_child(bool skipped, const TestReport& other_reports) noexcept;

    /// In the parent: what went wrong. Empty where all was well.
    [[nodiscard]] const std::string& message() const noexcept { return message_; }

private:
    enum class Process : unsigned char { parent, child };

    Process run(const std::optional<FailurePoint>& point);

    TestingAllocator& testing_;
    SharedRecord record_;
    std::string child_end_;
    std::string message_;
};

}  // namespace carbide::testing
