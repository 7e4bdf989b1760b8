// SPDX-License-Identifier: MIT
#include "carbide/testing/no_global_allocation.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <mutex>

#include "carbide/check.hpp"
#include "carbide/testing/test_hooks.hpp"
#include "global_allocation/watch.hpp"
#include "heap/debug/finding_report.hpp"
#include "platform/report_text.hpp"
#include "platform/traces.hpp"

namespace carbide::testing {
namespace {

// "initial-exec", because in a shared library the first access in a thread could call malloc else.
[[gnu::tls_model("initial-exec")]] constinit thread_local NoGlobalAllocation* innermost = nullptr;

// Scopes of all threads are looked at by others, and must not end meanwhile.
constinit std::mutex all_threads_mutex;
constinit std::atomic<NoGlobalAllocation*> of_all_threads = nullptr;

void print(const Finding& finding) noexcept {
    platform::ReportText text;
    detail::write_finding(text, finding, platform::style_for(STDERR_FILENO));
    text.write_to(STDERR_FILENO);
}

void note_in(NoGlobalAllocation& scope, std::size_t size_bytes,
             const platform::StackPoint& caller) noexcept {
    scope.note(size_bytes, platform::capture_trace(caller, scope.stack_frame_count()));
}

}  // namespace

NoGlobalAllocation::NoGlobalAllocation() noexcept : NoGlobalAllocation(Options{}) {}

NoGlobalAllocation::NoGlobalAllocation(const Options& options) noexcept : options_(options) {
    CARBIDE_CHECK(options.on_finding != OnFinding::call || options.callback.call != nullptr,
                  "NoGlobalAllocation is to call back, and there is no callback");
    global_allocation::watch_malloc();
    if (options.threads == Threads::this_one) {
        outer_ = innermost;
        innermost = this;
    } else {
        const std::lock_guard guard(all_threads_mutex);
        CARBIDE_CHECK(of_all_threads.load() == nullptr,
                      "there is a NoGlobalAllocation of all threads already");
        of_all_threads = this;
    }
}

NoGlobalAllocation::~NoGlobalAllocation() {
    if (finding_count() > options_.report_count_max && options_.on_finding == OnFinding::report) {
        tell_count();
    }
    if (options_.threads == Threads::this_one) {
        CARBIDE_CHECK(innermost == this,
                      "a NoGlobalAllocation ended in another thread or order than it began");
        innermost = outer_;
    } else {
        const std::lock_guard guard(all_threads_mutex);
        of_all_threads = nullptr;
    }
}

void NoGlobalAllocation::note(std::size_t size_bytes, StackTrace here) noexcept {
    const std::size_t number = finding_count_.fetch_add(1, std::memory_order_relaxed) + 1;
    if (number > options_.report_count_max && options_.on_finding != OnFinding::abort) return;
    Finding finding{.kind = FindingKind::global_allocation, .allocator_name = options_.name};
    finding.size_bytes = size_bytes;
    finding.here = here;
    platform::ReportText text;
    detail::write_finding(text, finding);
    finding.text = text.view();
    if (options_.on_finding == OnFinding::call) {
        options_.callback.call(options_.callback.context, finding);
    } else if (options_.on_finding == OnFinding::abort) {
        print(finding);
        std::abort();
    } else if (!add_to_running_test(finding)) {
        print(finding);
    }
}

void NoGlobalAllocation::tell_count() const noexcept {
    platform::ReportText text;
    text.text("carbide: ")
        .count(finding_count(), "global allocation")
        .text(" where none is allowed");
    if (*options_.name != '\0') text.text(", in the scope '").text(options_.name).text("'");
    text.text(", of which the first ").number(options_.report_count_max).text(" were reported\n");
    const GlobalAllocationAllowed while_reporting;
    const Finding finding{.kind = FindingKind::global_allocation, .text = text.view()};
    if (!add_to_running_test(finding)) text.write_to(STDERR_FILENO);
}

}  // namespace carbide::testing

namespace carbide::global_allocation {

void note_allocation(std::size_t size_bytes) noexcept {
    using testing::GlobalAllocationAllowed;
    testing::NoGlobalAllocation* const scope = testing::innermost;
    const bool has_scope = scope != nullptr || testing::of_all_threads.load() != nullptr;
    if (!has_scope || GlobalAllocationAllowed::is_open()) [[likely]]
        return;

    const GlobalAllocationAllowed while_reporting;
    const int error = errno;
    const platform::StackPoint caller = platform::caller_point();
    if (scope != nullptr) {
        testing::note_in(*scope, size_bytes, caller);
    } else {
        const std::lock_guard guard(testing::all_threads_mutex);
        testing::NoGlobalAllocation* const shared = testing::of_all_threads.load();
        if (shared != nullptr) testing::note_in(*shared, size_bytes, caller);
    }
    errno = error;
}

}  // namespace carbide::global_allocation
