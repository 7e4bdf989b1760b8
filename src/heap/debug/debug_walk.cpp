// SPDX-License-Identifier: MIT
// What looks at everything at once: leaks, checks, counters, beginning and end.
#include <algorithm>
#include <mutex>

#include "carbide/memory_marks.hpp"
#include "heap/debug/debug_state.hpp"
#include "heap/debug/leak_report.hpp"
#include "heap/debug/registry.hpp"
#include "platform/pages.hpp"

namespace carbide::detail {
namespace {

std::size_t state_bytes() noexcept { return platform::round_up_to_pages(sizeof(DebugState)); }

}  // namespace

DebugState* DebugState::create(const DebugAllocator::Options& options) noexcept {
    PageMap map;
    if (!map.init()) return nullptr;
    void* const pages = platform::map_pages(state_bytes(), 1);
    if (pages == nullptr) {
        map.deinit();
        return nullptr;
    }
    auto* const state = new (pages) DebugState(options, map);
    Registry::add(*state);
    return state;
}

void DebugState::destroy(DebugState* state) noexcept {
    Registry::remove(*state);
    state->~DebugState();
    platform::unmap_pages(state, state_bytes());
}

DebugState::DebugState(const Options& options, PageMap map) noexcept
    : options_(options),
      map_(map),
      marks_(options.mark_for_checkers && checker_watches()),
      unmaps_large_(!options.never_unmap && &options.backing.heap() == &page_allocator().heap()),
      overhead_bytes_(options.pad_before_bytes + options.pad_after_bytes),
      reporter_(options),
      sources_({.backing = options.backing, .keeps_chunks = options.never_unmap, .marks = marks_}),
      needs_locks_(options.thread_safe) {}

DebugState::~DebugState() { map_.deinit(); }

// Calls `visit(found)` for each slot that was ever lent out, with the lock of its shard held.
template <class Visit>
void DebugState::visit_slots(Visit visit) noexcept {
    for (Shard& shard : shards_) {
        const ShardGuard guard(shard, is_locking());
        for (Span* span = shard.spans; span != nullptr; span = span->next) {
            for (std::uint32_t i = 0; i < span->fresh; ++i)
                visit(Found{span, i, &span->records[i]});
        }
    }
}

void DebugState::collect_leaks(LeakGroups& leaks) noexcept {
    visit_slots([&](const Found& found) {
        if (found.record->state() != SlotState::live) return;
        leaks.add(StackTrace::from_id(found.record->allocated),
                  reinterpret_cast<const void*>(block_of(found)),
                  found.span->size_bytes(*found.record));
    });
}

std::size_t DebugState::report_leaks(DebugAllocator::Format format) noexcept {
    LeakGroups leaks;
    collect_leaks(leaks);
    return reporter_.tell_leaks(leaks, format);
}

std::size_t DebugState::leak_count() noexcept {
    LeakGroups leaks;
    collect_leaks(leaks);
    return reporter_.count_leaks(leaks);
}

std::size_t DebugState::check_all(const platform::StackPoint& from) noexcept {
    std::size_t finding_count = 0;
    for (;;) {
        Findings findings;
        visit_slots([&](const Found& found) {
            // One slot makes two at most; what does not fit is found in the next round.
            if (findings.count() + 2 <= Findings::capacity) check_slot(found, from, findings);
        });
        const bool may_be_more = findings.count() + 2 > Findings::capacity;
        finding_count += findings.count();
        tell(findings);
        if (!may_be_more) return finding_count;
    }
}

void DebugState::check_slot(const Found& found, const platform::StackPoint& from,
                            Findings& findings) noexcept {
    const std::uintptr_t block = block_of(found);
    if (found.record->state() == SlotState::live) {
        if (!pads_are_intact(found, block, found.span->size_bytes(*found.record))) {
            add_pad_findings(found, block, &from, findings);
        }
    } else if (options_.fill_freed.has_value() && !found.span->is_guarded) {
        add_late_write(found, block, &from, findings);
    }
}

bool DebugState::deinit(const platform::StackPoint& from) noexcept {
    if (is_over_) return false;
    check_all(from);
    const std::size_t leaked_count = report_leaks();
    for (Shard& shard : shards_) {
        const ShardGuard guard(shard, is_locking());
        while (shard.spans != nullptr) {
            Span& span = *shard.spans;
            shard.unlink(span);
            const std::lock_guard sources(sources_lock_);
            if (span.is_large) give_back_large(span);
            map_.enter(span.base, span.used_bytes, nullptr);
            span.used_bytes = 0;
        }
        shard.quarantine.deinit();
        for (Bin& bin : shard.bins) bin = {};
        shard.live_bytes = shard.live_count = 0;
    }
    const std::lock_guard sources(sources_lock_);
    while (oldest_dead_ != nullptr) forget(*oldest_dead_);
    for (Span*& spare : spare_spans_) spare = nullptr;
    sources_.give_back_all();
    guard_pages_.deinit();
    is_over_ = true;
    if (leaked_count != 0) reporter_.end_after_leaks();
    return leaked_count != 0;
}

DebugAllocator::Counters DebugState::counters() noexcept {
    DebugAllocator::Counters sum{.finding_count = reporter_.finding_count()};
    std::int64_t bytes = 0;
    std::int64_t count = 0;
    std::int64_t peak_bytes = 0;
    std::int64_t peak_count = 0;
    unsigned used_shard_count = 0;
    for (Shard& shard : shards_) {
        const ShardGuard guard(shard, is_locking());
        if (!shard.was_used) continue;
        ++used_shard_count;
        bytes += shard.live_bytes;
        count += shard.live_count;
        peak_bytes = shard.peak_bytes;
        peak_count = shard.peak_count;
        sum.total_bytes += shard.total_bytes;
        sum.total_count += shard.total_count;
    }
    if (used_shard_count > 1) {
        peak_bytes = std::max(flushed_peak_bytes_.load(std::memory_order_relaxed), bytes);
        peak_count = std::max(flushed_peak_count_.load(std::memory_order_relaxed), count);
    }
    sum.current_bytes = static_cast<std::size_t>(bytes);
    sum.current_count = static_cast<std::size_t>(count);
    sum.peak_bytes = static_cast<std::size_t>(peak_bytes);
    sum.peak_count = static_cast<std::size_t>(peak_count);
    return sum;
}

bool DebugState::owns(const void* memory) noexcept {
    Found found;
    const auto address = reinterpret_cast<std::uintptr_t>(memory);
    Span* const span = map_.find(address);
    if (span == nullptr) return false;
    const ShardGuard guard(*span->shard.load(std::memory_order_relaxed), is_locking());
    if (!lookup(*span, address, found) || found.record->state() != SlotState::live) return false;
    return address - block_of(found) < span->size_bytes(*found.record);
}

// Also of what was freed: the registry asks on behalf of a foreign free.
bool DebugState::knows(const void* memory) noexcept {
    Found found;
    const auto address = reinterpret_cast<std::uintptr_t>(memory);
    Span* const span = map_.find(address);
    if (span == nullptr) return false;
    const ShardGuard guard(*span->shard.load(std::memory_order_relaxed), is_locking());
    return lookup(*span, address, found);
}

void DebugState::lock_all() noexcept {
    for (Shard& shard : shards_) shard.lock.lock();
    sources_lock_.lock();
}

void DebugState::unlock_all() noexcept {
    sources_lock_.unlock();
    for (Shard& shard : shards_) shard.lock.unlock();
}

void DebugState::log(const char* operation, const void* memory, std::size_t size_bytes,
                     std::align_val_t alignment) noexcept {
    platform::Message line;
    line.text("carbide: ").text(options_.name).text(": ").text(operation).text(" ");
    line.number(size_bytes).text(" bytes aligned to ").number(static_cast<std::size_t>(alignment));
    if (memory == nullptr) {
        line.text(": out of memory");
    } else {
        line.text(" at ").hexadecimal(reinterpret_cast<std::uintptr_t>(memory));
    }
    reporter_.log(line);
}

}  // namespace carbide::detail
