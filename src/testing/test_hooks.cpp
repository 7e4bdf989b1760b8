// SPDX-License-Identifier: MIT
#include "carbide/testing/test_hooks.hpp"

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "carbide/check.hpp"
#include "testing/finding_log.hpp"
#include "testing/test_sweep.hpp"

namespace carbide::testing {
namespace {

struct RunningTest {
    std::string name;
    TestingAllocator testing;
    std::string sweep_message;
    std::mutex mutex;
    TestReport other_reports;  // Of allocators that ended unasked.
    FindingLog other_findings;
    std::optional<TestSweep> sweep;
    bool is_sweep_child = false;
    std::atomic<bool> skipped = false;
};

// Read by the threads of the test, which the test joins before it ends.
std::atomic<RunningTest*> running = nullptr;

// A handle that outlives its test, in a global object say, must find an allocator that says no.
void retire(std::unique_ptr<RunningTest> test) {
    static auto& retired = *new std::vector<std::unique_ptr<RunningTest>>;
    test->sweep.reset();
    retired.push_back(std::move(test));
}

RunningTest& running_test() noexcept {
    RunningTest* const test = running.load(std::memory_order_acquire);
    CARBIDE_CHECK(test != nullptr,
                  "no test is running: include the adapter of your test framework "
                  "(carbide/testing/googletest.hpp, catch2.hpp or doctest.hpp) in one file");
    return *test;
}

}  // namespace

Allocator allocator() noexcept { return running_test().testing.allocator(); }

void skip_memory_check() noexcept { running_test().skipped = true; }

void begin_test(std::string name) {
    CARBIDE_CHECK(running.load() == nullptr, "a test began while another one was running");
    auto test = std::make_unique<RunningTest>();
    test->name = std::move(name);
    if (test_sweep_is_requested()) {
        TestSweep& sweep = test->sweep.emplace(test->testing);
        test->is_sweep_child = sweep.run_children(test->name);
        test->sweep_message = sweep.message();
    }
    running.store(test.release(), std::memory_order_release);
}

TestReport end_test() {
    std::unique_ptr<RunningTest> test(running.exchange(nullptr));
    if (test == nullptr) return {};
    test->other_reports.add(test->other_findings);
    auto& sweep = test->sweep;
    if (test->is_sweep_child && sweep.has_value()) {
        sweep->end_child(test->skipped, test->other_reports);
    }
    TestReport report = test->testing.finish();
    report.add(test->other_reports);
    if (!test->sweep_message.empty()) report.add(test->sweep_message);
    if (test->skipped) report = {};
    retire(std::move(test));
    return report;
}

bool add_to_running_test(const TestReport& report) {
    RunningTest* const test = running.load(std::memory_order_acquire);
    if (test == nullptr) return false;
    const std::lock_guard guard(test->mutex);
    test->other_reports.add(report);
    return true;
}

bool add_to_running_test(const Finding& finding) noexcept {
    RunningTest* const test = running.load(std::memory_order_acquire);
    if (test == nullptr) return false;
    test->other_findings.add(finding);
    return true;
}

}  // namespace carbide::testing
