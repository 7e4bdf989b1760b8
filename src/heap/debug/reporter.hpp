// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>

#include "carbide/debug_allocator.hpp"
#include "heap/debug/leak_report.hpp"
#include "heap/debug/pending_findings.hpp"
#include "heap/debug/suppressions.hpp"
#include "platform/lock.hpp"
#include "platform/message.hpp"
#include "platform/report_text.hpp"

namespace carbide::detail {

/// Where findings go: to a file, or to a callback. Called without any lock of the allocator held,
/// because names are looked up here and callbacks run here.
class Reporter {
public:
    using Format = DebugAllocator::Format;

    explicit Reporter(const DebugAllocator::Options& options) noexcept;
    ~Reporter();
    Reporter(const Reporter&) = delete;
    Reporter& operator=(const Reporter&) = delete;

    /// Counts it, then prints it, aborts, or calls back, as the options say.
    void tell(Finding& finding) noexcept;

    /// Takes out what is suppressed and reports the rest, if any. Returns the number of
    /// allocations.
    std::size_t tell_leaks(LeakGroups& leaks, Format format) noexcept;

    /// The same number without a report.
    [[nodiscard]] std::size_t count_leaks(LeakGroups& leaks) noexcept;

    /// Ends the program where leaks are to do that.
    void end_after_leaks() noexcept;

    void log(platform::Message& line) noexcept;

    [[nodiscard]] std::size_t finding_count() const noexcept {
        return finding_count_.load(std::memory_order_relaxed);
    }

private:
    void open_report(const char* path) noexcept;
    void report_leaks(LeakGroups& leaks, Format format) noexcept;
    void write(const platform::ReportText& text) noexcept;
    [[nodiscard]] platform::Style style() const noexcept;

    const char* allocator_name_;
    Format format_;
    OnFinding on_finding_;
    FindingCallback callback_;
    int file_descriptor_;
    bool owns_descriptor_ = false;
    std::atomic<std::size_t> finding_count_ = 0;
    platform::Lock suppressions_lock_;
    Suppressions suppressions_;
};

}  // namespace carbide::detail
