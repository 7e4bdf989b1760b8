// SPDX-License-Identifier: MIT
#include "carbide/testing/testing_allocator.hpp"

#include <cstdio>
#include <cstdlib>

#include "carbide/testing/test_hooks.hpp"
#include "testing/finding_log.hpp"

namespace carbide::testing {
namespace {

// Every check, whatever the build: a test that finds less when optimised hides mistakes.
DebugAllocator::Options debug_options(const TestingAllocator::Options& options,
                                      FindingLog& log) noexcept {
    const bool guarded = options.guard != DebugAllocator::Guard::off;
    return {.stack_frame_count = options.stack_frame_count,
            .limit_bytes = options.limit_bytes,
            .fill_allocated = undefined_byte,
            .fill_freed = undefined_byte,
            .quarantine_bytes = guarded ? std::size_t{0} : std::size_t{256} << 10,
            .guard = options.guard,
            .on_finding = OnFinding::call,
            .callback = log.callback(),
            .mark_for_checkers = options.mark_for_checkers,
            .name = options.name};
}

}  // namespace

void TestReport::add(const TestReport& other) {
    message_ += other.message_;
    finding_count_ += other.finding_count_;
    leaked_ = leaked_ || other.leaked_;
    const bool knows_worse = first_finding_.has_value() && *first_finding_ != FindingKind::leak;
    if (other.first_finding_.has_value() && !knows_worse) first_finding_ = other.first_finding_;
}

void TestReport::add(const FindingLog& log) {
    TestReport other;
    other.message_ = log.text();
    other.finding_count_ = log.finding_count();
    other.leaked_ = log.has_leak();
    other.first_finding_ = log.first();
    add(other);
}

void TestReport::add(const std::string& text) {
    message_ += text;
    if (!message_.ends_with('\n')) message_ += '\n';
}

TestingAllocator::TestingAllocator() : TestingAllocator(Options{}) {}

TestingAllocator::TestingAllocator(const Options& options)
    : log_(std::make_unique<FindingLog>()),
      debug_(debug_options(options, *log_)),
      failing_({.backing = debug_.allocator(),
                .stack_frame_count = options.stack_frame_count,
                .name = options.name}) {}

TestingAllocator::~TestingAllocator() {
    if (finished_) return;
    const TestReport report = finish();
    if (report.passed() || add_to_running_test(report)) return;
    std::fputs(report.message().c_str(), stderr);
    std::fputs("carbide: nobody looked at the report of the TestingAllocator above\n", stderr);
    std::abort();
}

TestReport TestingAllocator::finish() {
    if (!finished_ && debug_.deinit() && !log_->has_leak()) {
        // Where memory for more was out.
        log_->add({.kind = FindingKind::leak, .text = "carbide: something leaked"});
    }
    finished_ = true;
    TestReport report;
    report.add(*log_);
    return report;
}

}  // namespace carbide::testing
