// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <string>

#include "carbide/testing/testing_allocator.hpp"
#include "testing/run_record.hpp"

namespace carbide::testing {

/// A record in memory that child processes share.
class SharedRecord {
public:
    SharedRecord();
    ~SharedRecord();
    SharedRecord(const SharedRecord&) = delete;  // Owns a mapping.
    SharedRecord& operator=(const SharedRecord&) = delete;

    [[nodiscard]] RunRecord& operator*() const noexcept { return *record_; }
    [[nodiscard]] RunRecord* operator->() const noexcept { return record_; }

private:
    RunRecord* record_;
};

/// One run in a forked child, which may crash or hang. What the child prints is kept from the
/// terminal, and its end is at hand for the report.
class IsolatedRun {
public:
    /// The record is cleared, and in the child filled where it crashes or hangs.
    IsolatedRun(RunRecord& record, unsigned time_limit_ms) noexcept
        : record_(record), time_limit_ms_(time_limit_ms) {}
    ~IsolatedRun();
    IsolatedRun(const IsolatedRun&) = delete;  // Owns a descriptor.
    IsolatedRun& operator=(const IsolatedRun&) = delete;

    /// Forks. Returns true in the child.
    [[nodiscard]] bool start();

    /// In the child: whose findings and induced failure a crash report has. Returns whose it had.
    static TestingAllocator* watch(TestingAllocator* testing) noexcept;

    /// In the child: the record is complete.
    [[noreturn]] static void end(RunRecord& record) noexcept;

    /// In the parent: waits, and notes in the record how the child ended.
    void wait();

    /// What the child printed last, and how it ended where it did not crash; for a person.
    [[nodiscard]] const std::string& end_text() const noexcept { return end_text_; }

private:
    [[nodiscard]] int wait_for_child() const;
    [[nodiscard]] std::string last_output() const;

    RunRecord& record_;
    unsigned time_limit_ms_;
    pid_t pid_ = -1;
    int output_ = -1;  // A file in memory.
    std::string end_text_;
};

}  // namespace carbide::testing
