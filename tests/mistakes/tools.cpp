// SPDX-License-Identifier: MIT
#include "mistakes/tools.hpp"

#include <sys/mman.h>

#include <array>
#include <csignal>
#include <cstddef>
#include <new>

#include "carbide/arena_allocator.hpp"
#include "carbide/memory_marks.hpp"
#include "carbide/page_allocator.hpp"
#include "carbide/testing/no_global_allocation.hpp"
#include "carbide/testing/testing_allocator.hpp"
#include "heap/debug/findings_log.hpp"
#include "support/child_process.hpp"

#ifdef __SANITIZE_THREAD__
// Guard mode tells of a wrong access from its signal handler, with names, which allocate. To
// ThreadSanitizer that is a mistake, for which it would end the child before we hear of it.
extern "C" const char* __tsan_default_options();
extern "C" const char* __tsan_default_options() { return "report_signal_unsafe=0"; }
#endif

namespace carbide::tests {
namespace {

using testing::Verdict;

// In place, because it is filled by fault handlers and within `NoGlobalAllocation`.
struct KindList {
    std::array<FindingKind, 16> kinds{};
    std::size_t count = 0;

    [[nodiscard]] FindingCallback callback() noexcept {
        return {.call =
                    [](void* context, const Finding& finding) noexcept {
                        auto& list = *static_cast<KindList*>(context);
                        if (list.count < list.kinds.size()) list.kinds[list.count++] = finding.kind;
                    },
                .context = this};
    }
    void add_to(Outcome& outcome) const {
        for (std::size_t i = 0; i < count; ++i) outcome.add(kinds[i]);
    }
};

// A list that a child fills for its parent.
class SharedKindList {
public:
    SharedKindList()
        : list_(new(mmap(nullptr, sizeof(KindList), PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_ANONYMOUS, -1, 0)) KindList) {}
    ~SharedKindList() { munmap(list_, sizeof(KindList)); }
    SharedKindList(const SharedKindList&) = delete;  // It owns a mapping.
    SharedKindList& operator=(const SharedKindList&) = delete;

    [[nodiscard]] KindList& operator*() const noexcept { return *list_; }
    [[nodiscard]] KindList* operator->() const noexcept { return list_; }

private:
    KindList* list_;
};

// The same in release builds as in checked ones.
DebugAllocator::Options checking(FindingsLog& log) {
    return log.options({.fill_allocated = undefined_byte,
                        .fill_freed = undefined_byte,
                        .quarantine_bytes = std::size_t{256} << 10});
}

Outcome outcome_of_log(const FindingsLog& log) {
    Outcome outcome;
    for (const FindingKind kind : log.kinds()) outcome.add(kind);
    for (const std::string& text : log.texts) outcome.message += text;
    return outcome;
}

Outcome debugged_with(const DebugAllocator::Options& options, const FindingsLog& log,
                      void (*function)(DebugAllocator&)) {
    DebugAllocator debug(options);
    function(debug);
    static_cast<void>(debug.deinit());  // The log has what leaked.
    return outcome_of_log(log);
}

Outcome guarded_by(DebugAllocator::Guard guard, void (*function)(Allocator)) {
    const SharedKindList found;
    const ChildResult child = run_in_child([&] {
        DebugAllocator debug({.guard = guard,
                              .on_finding = OnFinding::call,
                              .callback = found->callback(),
                              .mark_for_checkers = false});
        function(debug.allocator());
        static_cast<void>(debug.deinit());
    });
    Outcome outcome;
    if (child.signal != 0 || child.exit_status != 0) outcome.add(Verdict::crashed);
    found->add_to(outcome);
    outcome.message = child.stderr_text;
    return outcome;
}

}  // namespace

Outcome outcome_of_sweep(const testing::SweepReport& report) {
    if (report.passed()) CHECK(report.alloc_count() != 0);  // Else it has shown nothing.
    Outcome outcome;
    for (const testing::FailedRun& run : report.failed_runs()) {
        outcome.add(run.verdict);
        if (!run.finding.has_value()) continue;
        // Two failures of one request make one mistake show twice.
        const bool is_known =
            std::ranges::find(outcome.findings, *run.finding) != outcome.findings.end();
        if (!is_known) outcome.add(*run.finding);
    }
    outcome.message = report.message();
    return outcome;
}

Outcome debugged(void (*function)(DebugAllocator&)) {
    FindingsLog log;
    return debugged_with(checking(log), log, function);
}

Outcome debugged(void (*function)(Allocator)) {
    FindingsLog log;
    DebugAllocator debug(checking(log));
    function(debug.allocator());
    static_cast<void>(debug.deinit());
    return outcome_of_log(log);
}

Outcome debugged(void (*function)(Allocator, Allocator)) {
    FindingsLog log;
    DebugAllocator first(checking(log));
    DebugAllocator second(checking(log));
    function(first.allocator(), second.allocator());
    static_cast<void>(first.deinit());
    static_cast<void>(second.deinit());
    return outcome_of_log(log);
}

Outcome debugged_for_one_thread(void (*function)(DebugAllocator&)) {
    FindingsLog log;
    DebugAllocator::Options options = checking(log);
    options.thread_safe = false;
    return debugged_with(options, log, function);
}

Outcome tested(void (*function)(Allocator)) {
    testing::TestingAllocator testing({.mark_for_checkers = false});
    function(testing.allocator());
    const testing::TestReport report = testing.finish();
    Outcome outcome;
    if (report.first_finding().has_value()) outcome.add(*report.first_finding());
    if (report.leaked()) outcome.add(FindingKind::leak);
    outcome.message = report.message();
    return outcome;
}

Outcome guarded(void (*function)(Allocator)) {
    return guarded_by(DebugAllocator::Guard::behind, function);
}

Outcome guarded_in_front(void (*function)(Allocator)) {
    return guarded_by(DebugAllocator::Guard::in_front, function);
}

Outcome watched_for_global_allocation(void (*function)(Allocator)) {
    ArenaAllocator arena({.backing = page_allocator()});
    KindList found;
    {
        const testing::NoGlobalAllocation only_the_arena(
            {.on_finding = OnFinding::call, .callback = found.callback()});
        function(arena.allocator());
    }
    Outcome outcome;
    found.add_to(outcome);
    return outcome;
}

}  // namespace carbide::tests
