// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "carbide/testing/testing_allocator.hpp"

/// For the authors of adapters: what a test framework calls around each test.
namespace carbide::testing {

/// From here on `allocator()` is that of this test. Tests do not run at the same time.
///
/// Under the failure sweep (`CARBIDE_SWEEP=1` in the environment, or `--carbide-sweep` on the
/// command line) this forks a child for each request that the test makes. The child returns from
/// here with a plan to fail that request, runs the test, and ends in `end_test`. Only then the
/// parent returns.
void begin_test(std::string name);

/// What the test is to fail with; passes where `skip_memory_check` was called. Returns only in
/// the process that the framework runs in. Nothing runs, and all is well, where no test had begun.
TestReport end_test();

/// Adds what others have found. Returns whether a test is running, which then fails. The second one
/// allocates nothing from the program's heap.
bool add_to_running_test(const TestReport& report);
bool add_to_running_test(const Finding& finding) noexcept;

}  // namespace carbide::testing
