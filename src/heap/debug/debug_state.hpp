// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>

#include "carbide/debug_allocator.hpp"
#include "heap/debug/chunk_source.hpp"
#include "heap/debug/guard_pages.hpp"
#include "heap/debug/page_map.hpp"
#include "heap/debug/pending_findings.hpp"
#include "heap/debug/quarantine.hpp"
#include "heap/debug/reporter.hpp"
#include "heap/debug/shard.hpp"
#include "heap/debug/span.hpp"
#include "platform/lock.hpp"
#include "platform/stack_point.hpp"

namespace carbide::detail {

/// What stands behind a DebugAllocator. Lies in pages of its own.
///
///     address ──PageMap──▶ Span ──index──▶ Record          where everything is known about it
///     thread ──▶ Shard ──▶ Bin of the size class ──▶ Span with room          where it comes from
///
/// Locks, in this order: `Registry`, the lock of one shard (all, by index, for a walk), the lock of
/// the sources. Findings are collected under locks and told after the last one is given back.
// NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): what threads share has its own lines.
class DebugState {
public:
    /// Null where there is no memory for it.
    [[nodiscard]] static DebugState* create(const DebugAllocator::Options& options) noexcept;
    static void destroy(DebugState* state) noexcept;

    [[nodiscard]] void* alloc(std::size_t size_bytes, std::align_val_t alignment,
                              const platform::StackPoint& from) noexcept;
    /// Where a remap is refused, `realloc` frees the same memory next: what is wrong with pointer,
    /// size or alignment is not told again then.
    enum class Resizing : unsigned char { resize, remap };
    [[nodiscard]] bool resize(Resizing kind, void* memory, std::size_t old_bytes,
                              std::size_t new_bytes, std::align_val_t alignment,
                              const platform::StackPoint& from) noexcept;
    void free(void* memory, std::size_t size_bytes, std::align_val_t alignment,
              const platform::StackPoint& from) noexcept;

    [[nodiscard]] bool deinit(const platform::StackPoint& from) noexcept;
    std::size_t report_leaks(DebugAllocator::Format format) noexcept;
    [[nodiscard]] std::size_t leak_count() noexcept;
    std::size_t check_all(const platform::StackPoint& from) noexcept;
    [[nodiscard]] DebugAllocator::Counters counters() noexcept;
    [[nodiscard]] bool owns(const void* memory) noexcept;
    void detach_from_thread() noexcept;

    /// In a fault handler: reports the allocation that the access has missed.
    void tell_fault(std::uintptr_t address, bool is_write, const platform::StackPoint& at) noexcept;
    [[nodiscard]] bool guards(std::uintptr_t address) const noexcept;

    /// For the registry: whether the address was ever given out by this allocator; fork.
    [[nodiscard]] bool knows(const void* memory) noexcept;
    void lock_all() noexcept;
    void unlock_all() noexcept;
    [[nodiscard]] const char* name() const noexcept { return options_.name; }

    DebugState* registry_next = nullptr;
    DebugState* registry_previous = nullptr;

private:
    using Options = DebugAllocator::Options;
    using Findings = PendingFindings;

    // An allocation that was looked up, under the lock of its shard.
    struct Found {
        Span* span;
        std::uint32_t index;
        Record* record;
    };

    explicit DebugState(const Options& options, PageMap map) noexcept;
    ~DebugState();

    // debug_state.cpp: the hot paths.
    [[nodiscard]] void* alloc_small(Shard& shard, std::size_t size_bytes,
                                    std::align_val_t alignment, unsigned size_class,
                                    StackTrace trace, const platform::StackPoint& from,
                                    Findings& findings) noexcept;
    [[nodiscard]] Span* take_from_bin(Shard& shard, unsigned size_class) noexcept;
    [[nodiscard]] bool lookup(Span& span, std::uintptr_t address, Found& found) const noexcept;
    [[nodiscard]] bool is_as_claimed(const Found& found, std::uintptr_t address,
                                     std::size_t size_bytes,
                                     std::align_val_t alignment) const noexcept;
    [[nodiscard]] bool resize_found(Shard& shard, const Found& found, std::size_t new_bytes,
                                    const platform::StackPoint& from, Findings& findings) noexcept;
    void release(Shard& shard, const Found& found) noexcept;
    void free_found(Shard& shard, const Found& found, StackTrace trace,
                    const platform::StackPoint& from, Findings& findings) noexcept;
    void let_go(Shard& shard, const QuarantinedSlot& slot, const platform::StackPoint* from,
                Findings& findings) noexcept;
    void write_pads(const Found& found, std::uintptr_t block, std::size_t size_bytes) noexcept;
    void write_pad(std::uintptr_t begin, std::uintptr_t end) const noexcept;
    [[nodiscard]] bool pads_are_intact(const Found& found, std::uintptr_t block,
                                       std::size_t size_bytes) const noexcept;
    void fill(std::uintptr_t block, std::size_t size_bytes, unsigned char byte) const noexcept;
    [[nodiscard]] StackTrace trace_of(const platform::StackPoint& from) const noexcept;

    // debug_spans.cpp: where slots and large allocations come from.
    [[nodiscard]] Span* add_span(Shard& shard, unsigned size_class) noexcept;
    void retire_span(Shard& shard, Span& span) noexcept;
    [[nodiscard]] void* alloc_large(Shard& shard, std::size_t size_bytes,
                                    std::align_val_t alignment, StackTrace trace) noexcept;
    [[nodiscard]] void* alloc_guarded(Shard& shard, std::size_t size_bytes,
                                      std::align_val_t alignment, StackTrace trace) noexcept;
    [[nodiscard]] void* finish_large(Shard& shard, Span& span, std::size_t size_bytes,
                                     std::align_val_t alignment, StackTrace trace) noexcept;
    void retire_large(Shard& shard, Span& span) noexcept;
    [[nodiscard]] Span* make_span(unsigned size_class, std::uint32_t slot_count) noexcept;
    [[nodiscard]] bool enter_span(Shard& shard, Span& span) noexcept;
    void bury(Span& span) noexcept;
    void exhume(std::uintptr_t begin, std::size_t size_bytes) noexcept;
    void forget(Span& span) noexcept;
    void spare(Span& span) noexcept;
    void give_back_large(const Span& span) noexcept;
    void tell_of_mappings() noexcept;

    // debug_findings.cpp: what is wrong.
    [[nodiscard]] bool examine(const Found& found, std::uintptr_t address, std::size_t size_bytes,
                               std::align_val_t alignment, const platform::StackPoint& from,
                               Findings& findings) noexcept;
    void add_foreign(const void* memory, std::size_t size_bytes, std::align_val_t alignment,
                     const platform::StackPoint& from, Findings& findings) noexcept;
    void add_pad_findings(const Found& found, std::uintptr_t block,
                          const platform::StackPoint* from, Findings& findings) noexcept;
    void add_late_write(const Found& found, std::uintptr_t block, const platform::StackPoint* from,
                        Findings& findings) noexcept;
    [[nodiscard]] Finding describe(FindingKind kind, const Found& found,
                                   const platform::StackPoint* from) const noexcept;
    [[nodiscard]] StackTrace trace_here(const platform::StackPoint* from) const noexcept;
    void check_thread(const platform::StackPoint& from) noexcept;

    void tell(Findings& findings) noexcept;
    [[nodiscard]] bool was_told_by_remap(const Finding& finding) noexcept;

    // debug_walk.cpp: everything at once.
    template <class Visit>
    void visit_slots(Visit visit) noexcept;
    void collect_leaks(LeakGroups& leaks) noexcept;
    void check_slot(const Found& found, const platform::StackPoint& from,
                    Findings& findings) noexcept;

    // Where the allocation in a slot starts, by its record.
    [[nodiscard]] std::uintptr_t block_of(const Found& found) const noexcept {
        if (found.span->is_large) return found.span->large_block;
        return block_address(found.span->slot_address(found.index), options_.pad_before_bytes,
                             found.record->alignment_bytes());
    }

    // The canaries of an allocation: [begin, block) and [block + size, end).
    struct Pads {
        std::uintptr_t begin;
        std::uintptr_t end;
    };
    [[nodiscard]] Pads pads_of(const Found& found, std::uintptr_t block,
                               std::size_t size_bytes) const noexcept {
        if (found.span->is_guarded) return {found.span->pads_begin, found.span->pads_end};
        return {block - options_.pad_before_bytes, block + size_bytes + options_.pad_after_bytes};
    }

    void count_alloc(Shard& shard, std::size_t size_bytes) noexcept;
    void count_free(Shard& shard, std::size_t size_bytes) noexcept;
    void count_resize(Shard& shard, std::size_t old_bytes, std::size_t new_bytes) noexcept;
    void flush(Shard& shard) noexcept;
    [[nodiscard]] bool charge(std::size_t size_bytes) noexcept;
    void refund(std::size_t size_bytes) noexcept;
    void log(const char* operation, const void* memory, std::size_t size_bytes,
             std::align_val_t alignment) noexcept;

    [[nodiscard]] Shard& shard_of_thread() noexcept;
    [[nodiscard]] bool is_locking() const noexcept {
        return needs_locks_.load(std::memory_order_relaxed) && !platform::is_single_threaded();
    }

    static constexpr unsigned shard_count = 16;

    Options options_;
    PageMap map_;
    bool marks_;            // A checker watches, and is to be told.
    bool is_over_ = false;  // After deinit.
    std::atomic<const void*> told_by_remap_ = nullptr;
    std::size_t overhead_bytes_;
    Reporter reporter_;

    alignas(64) std::atomic<std::size_t> charged_bytes_ = 0;  // Where there is a limit.
    std::atomic<std::int64_t> flushed_bytes_ = 0;
    std::atomic<std::int64_t> flushed_peak_bytes_ = 0;

    alignas(64) platform::Lock sources_lock_;
    ChunkSource sources_;
    Span* spare_spans_[size_class_count + 1] = {};  // By class; the last are large ones.
    Span* oldest_dead_ = nullptr;
    Span* newest_dead_ = nullptr;
    std::size_t dead_count_ = 0;

    // Without `thread_safe`, until a second thread comes.
    std::atomic<bool> needs_locks_;
    static constexpr int unowned = 0;
    static constexpr int anybodys = -1;
    std::atomic<int> owner_thread_ = unowned;
    std::atomic<std::uint32_t> owner_trace_ = 0;  // Of its first use.

    GuardPages guard_pages_;
    bool has_told_of_mappings_ = false;

    alignas(64) Shard shards_[shard_count];
};

}  // namespace carbide::detail
