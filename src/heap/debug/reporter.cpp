// SPDX-License-Identifier: MIT
#include "heap/debug/reporter.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <mutex>

#include "heap/debug/finding_report.hpp"

namespace carbide::detail {

Reporter::Reporter(const DebugAllocator::Options& options) noexcept
    : allocator_name_(options.name),
      format_(options.report_format),
      on_finding_(options.on_finding),
      callback_(options.callback),
      file_descriptor_(STDERR_FILENO) {
    if (options.report_path != nullptr) open_report(options.report_path);
    if (options.suppressions_path != nullptr) {
        platform::ReportText errors;
        suppressions_.load(options.suppressions_path, errors);
        if (!errors.view().empty()) write(errors);
    }
}

Reporter::~Reporter() {
    if (owns_descriptor_) close(file_descriptor_);
}

void Reporter::open_report(const char* path) noexcept {
    const int kept_errno = errno;
    const int opened = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (opened >= 0) {
        file_descriptor_ = opened;
        owns_descriptor_ = true;
    } else {
        platform::Message()
            .text("carbide: allocator '")
            .text(allocator_name_)
            .text("': cannot write reports to '")
            .text(path)
            .text("': ")
            .text(strerrordesc_np(errno))
            .text("; they go to standard error")
            .write_to(STDERR_FILENO);
    }
    errno = kept_errno;
}

// Where the report file takes no more, as on a full disk, the report is not lost.
void Reporter::write(const platform::ReportText& text) noexcept {
    const int error = text.write_to(file_descriptor_);
    if (error == 0 || !owns_descriptor_) return;
    platform::Message()
        .text("carbide: allocator '")
        .text(allocator_name_)
        .text("': cannot write to the report file: ")
        .text(strerrordesc_np(error))
        .text("; this report goes to standard error")
        .write_to(STDERR_FILENO);
    text.write_to(STDERR_FILENO);
}

platform::Style Reporter::style() const noexcept {
    return on_finding_ == OnFinding::call ? platform::Style{}
                                          : platform::style_for(file_descriptor_);
}

void Reporter::tell(Finding& finding) noexcept {
    finding_count_.fetch_add(1, std::memory_order_relaxed);
    const int kept_errno = errno;
    platform::ReportText text;
    if (format_ == Format::json) {
        write_finding_json(text, finding);
    } else {
        write_finding(text, finding, style());
    }
    if (on_finding_ == OnFinding::call) {
        finding.text = text.view();
        callback_.call(callback_.context, finding);
    } else {
        write(text);
        if (on_finding_ == OnFinding::abort) std::abort();
    }
    errno = kept_errno;
}

std::size_t Reporter::count_leaks(LeakGroups& leaks) noexcept {
    const std::lock_guard guard(suppressions_lock_);
    leaks.suppress(suppressions_);
    return leaks.count();
}

std::size_t Reporter::tell_leaks(LeakGroups& leaks, Format format) noexcept {
    const int kept_errno = errno;
    const std::lock_guard guard(suppressions_lock_);
    leaks.suppress(suppressions_);
    if (leaks.count() != 0) report_leaks(leaks, format);
    errno = kept_errno;
    return leaks.count();
}

void Reporter::report_leaks(LeakGroups& leaks, Format format) noexcept {
    platform::ReportText text;
    const LeakReport report{
        .allocator_name = allocator_name_, .groups = leaks, .suppressions = &suppressions_};
    if (format == Format::json) {
        write_leaks_json(text, report);
    } else {
        write_leaks(text, report, style());
    }
    if (on_finding_ == OnFinding::call) {
        const LeakGroup& largest = leaks.sorted().front();
        const Finding finding{.kind = FindingKind::leak,
                              .allocator_name = allocator_name_,
                              .address = largest.example,
                              .block = largest.example,
                              .size_bytes = largest.example_size_bytes,
                              .allocated = largest.allocated,
                              .text = text.view()};
        callback_.call(callback_.context, finding);
    } else {
        write(text);
    }
}

void Reporter::end_after_leaks() noexcept {
    if (on_finding_ == OnFinding::abort) std::abort();
}

void Reporter::log(platform::Message& line) noexcept { line.write_to(file_descriptor_); }

}  // namespace carbide::detail
