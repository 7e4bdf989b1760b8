// SPDX-License-Identifier: MIT
// Where slots and large allocations come from, and what is remembered of those that went back.
//
// A span whose memory was given back is dead: its records stay in the map until somebody else gets
// those addresses, so that a second free is still told apart from a foreign one. Without
// `retain_metadata` only the latest are kept.
#include <algorithm>
#include <mutex>

#include "heap/debug/debug_state.hpp"
#include "platform/message.hpp"
#include "platform/pages.hpp"

namespace carbide::detail {
namespace {

constexpr std::size_t dead_count_max = 256;

// More, because in guard mode a stale pointer may be used, and not only freed, and has to be named.
constexpr std::size_t guarded_dead_count_max = 65536;

constexpr unsigned large_class = size_class_count;

}  // namespace

Span* DebugState::add_span(Shard& shard, unsigned size_class) noexcept {
    const std::lock_guard guard(sources_lock_);
    const std::size_t slot_bytes = slot_bytes_of(size_class);
    const unsigned unit_count = span_unit_count(size_class);
    const std::size_t span_bytes = unit_count * unit_bytes;
    const auto slot_count = static_cast<std::uint32_t>(span_bytes / slot_bytes);
    Span* const span = make_span(size_class, slot_count);
    if (span == nullptr) return nullptr;
    const ChunkSource::Units units = sources_.take_units(unit_count);
    if (units.base == 0) {
        spare(*span);
        return nullptr;
    }
    span->base = units.base;
    span->chunk = units.chunk;
    span->used_bytes = span_bytes;
    span->slot_bytes = static_cast<std::uint32_t>(slot_bytes);
    const std::uint64_t steps = slot_bytes / slot_step_bytes;
    span->reciprocal = ((std::uint64_t{1} << 32) + steps - 1) / steps;
    if (!enter_span(shard, *span)) {
        sources_.give_back_units(units, unit_count);
        spare(*span);
        return nullptr;
    }
    shard.insert_partial(*span);
    return span;
}

void DebugState::retire_span(Shard& shard, Span& span) noexcept {
    Bin& bin = shard.bins[span.size_class];
    if (bin.hot == &span) bin.hot = nullptr;
    shard.remove_partial(span);
    shard.unlink(span);
    const std::lock_guard guard(sources_lock_);
    sources_.give_back_units({span.base, span.chunk}, span_unit_count(span.size_class));
    bury(span);
}

// Room in front for the pad and the alignment: the allocation starts at a multiple of it.
void* DebugState::alloc_large(Shard& shard, std::size_t size_bytes, std::align_val_t alignment,
                              StackTrace trace) noexcept {
    const auto alignment_bytes = static_cast<std::size_t>(alignment);
    const std::size_t front_bytes = block_address(0, options_.pad_before_bytes, alignment_bytes);
    std::size_t used_bytes = 0;
    if (__builtin_add_overflow(size_bytes, front_bytes + options_.pad_after_bytes, &used_bytes) ||
        __builtin_add_overflow(used_bytes, unit_bytes - 1, &used_bytes)) {
        return nullptr;
    }
    used_bytes &= ~(unit_bytes - 1);

    const std::lock_guard guard(sources_lock_);
    Span* const span = make_span(large_class, 1);
    if (span == nullptr) return nullptr;
    void* const memory = sources_.take_large(used_bytes, std::max(alignment_bytes, unit_bytes));
    if (memory == nullptr) {
        spare(*span);
        return nullptr;
    }
    span->base = reinterpret_cast<std::uintptr_t>(memory);
    span->used_bytes = used_bytes;
    span->large_block = span->base + front_bytes;
    void* const block = finish_large(shard, *span, size_bytes, alignment, trace);
    if (block == nullptr) {
        give_back_large(*span);
        spare(*span);
    }
    return block;
}

// The allocation between two pages that nobody may touch, as near to one of them as its alignment
// lets it be:
//
//     base                                                            base + used_bytes
//     [closed][open page: canaries, allocation, canaries][closed page]     Guard::behind
//     [closed page][open page: canaries, allocation, canaries][closed]     Guard::in_front
void* DebugState::alloc_guarded(Shard& shard, std::size_t size_bytes, std::align_val_t alignment,
                                StackTrace trace) noexcept {
    const std::size_t page_bytes = platform::page_bytes();
    const auto alignment_bytes = static_cast<std::size_t>(alignment);
    const std::size_t extra_bytes = 3 * page_bytes + std::max(alignment_bytes, page_bytes);
    std::size_t used_bytes = 0;
    if (__builtin_add_overflow(size_bytes, extra_bytes + unit_bytes - 1, &used_bytes)) {
        return nullptr;
    }
    used_bytes &= ~(unit_bytes - 1);

    const std::lock_guard guard(sources_lock_);
    Span* const span = make_span(large_class, 1);
    if (span == nullptr) return nullptr;
    span->base = guard_pages_.take(used_bytes, alignment_bytes);
    if (span->base == 0) {
        spare(*span);
        return nullptr;
    }
    span->used_bytes = used_bytes;
    span->is_guarded = true;
    const std::uintptr_t last = span->base + used_bytes - page_bytes - size_bytes;
    span->large_block = options_.guard == DebugAllocator::Guard::behind
                            ? last & ~(alignment_bytes - 1)
                            : block_address(span->base, page_bytes, alignment_bytes);
    span->pads_begin = span->large_block & ~(page_bytes - 1);
    span->pads_end = (span->large_block + size_bytes + page_bytes - 1) & ~(page_bytes - 1);
    if (!GuardPages::open(span->pads_begin, span->pads_end - span->pads_begin)) {
        tell_of_mappings();
        spare(*span);
        return nullptr;
    }
    void* const block = finish_large(shard, *span, size_bytes, alignment, trace);
    if (block == nullptr) {
        give_back_large(*span);
        spare(*span);
    }
    return block;
}

// What both kinds of large allocation have in common, once they have memory.
void* DebugState::finish_large(Shard& shard, Span& span, std::size_t size_bytes,
                               std::align_val_t alignment, StackTrace trace) noexcept {
    span.is_large = true;
    span.large_bytes = size_bytes;
    span.fresh = 1;
    span.held_count = 1;
    *span.records = {.packed = Record::pack(0, log2_of(alignment), SlotState::live),
                     .allocated = trace.id()};
    if (!enter_span(shard, span)) return nullptr;
    write_pads(Found{&span, 0, span.records}, span.large_block, size_bytes);
    count_alloc(shard, size_bytes);
    return reinterpret_cast<void*>(span.large_block);
}

// Once: the reason is hard to guess.
void DebugState::tell_of_mappings() noexcept {
    if (has_told_of_mappings_) return;
    has_told_of_mappings_ = true;
    platform::Message line;
    line.text("carbide: allocator '")
        .text(options_.name)
        .text("': out of memory: the kernel refuses one more mapping; guard mode takes two per ")
        .text("allocation that is live, and vm.max_map_count is the limit");
    reporter_.log(line);
}

void DebugState::retire_large(Shard& shard, Span& span) noexcept {
    if (options_.never_unmap && !span.is_guarded) return;  // Stays in the list of spans, freed.
    shard.unlink(span);
    const std::lock_guard guard(sources_lock_);
    give_back_large(span);
    bury(span);
}

void DebugState::give_back_large(const Span& span) noexcept {
    if (span.is_guarded) {
        GuardPages::close(span.pads_begin, span.pads_end - span.pads_begin);
        return;
    }
    sources_.give_back_large(reinterpret_cast<void*>(span.base), span.used_bytes,
                             std::max(span.records->alignment_bytes(), unit_bytes));
}

// A span with records for its slots; everything else in it is as in a new one.
Span* DebugState::make_span(unsigned size_class, std::uint32_t slot_count) noexcept {
    Span* span = spare_spans_[size_class];
    Record* records = nullptr;
    if (span != nullptr) {
        spare_spans_[size_class] = span->next;
        records = span->records;
        std::fill_n(records, slot_count, Record{});
    } else {
        records = sources_.make<Record>(slot_count);
        if (records == nullptr) return nullptr;
        span = sources_.make<Span>();
        if (span == nullptr) return nullptr;  // The records are lost until deinit.
    }
    span->reset(records, slot_count, size_class);
    return span;
}

void DebugState::spare(Span& span) noexcept {
    span.used_bytes = 0;
    span.next = spare_spans_[span.size_class];
    spare_spans_[span.size_class] = &span;
}

// From here on its addresses are found.
bool DebugState::enter_span(Shard& shard, Span& span) noexcept {
    if (!map_.reserve(span.base, span.used_bytes)) return false;
    exhume(span.base, span.used_bytes);
    span.shard.store(&shard, std::memory_order_relaxed);
    shard.link(span);
    map_.enter(span.base, span.used_bytes, &span);
    return true;
}

// Makes way for a new owner of these addresses.
void DebugState::exhume(std::uintptr_t begin, std::size_t size_bytes) noexcept {
    for (std::uintptr_t at = begin; at < begin + size_bytes; at += unit_bytes) {
        Span* const dead = map_.find(at);
        if (dead != nullptr) forget(*dead);
    }
}

void DebugState::bury(Span& span) noexcept {
    span.is_dead = true;
    span.previous = newest_dead_;
    span.next = nullptr;
    (newest_dead_ != nullptr ? newest_dead_->next : oldest_dead_) = &span;
    newest_dead_ = &span;
    ++dead_count_;
    const bool is_guarding = options_.guard != DebugAllocator::Guard::off;
    const std::size_t count_max = is_guarding ? guarded_dead_count_max : dead_count_max;
    if (dead_count_ > count_max && !options_.retain_metadata) forget(*oldest_dead_);
}

// Its records may be used for another span.
void DebugState::forget(Span& span) noexcept {
    CARBIDE_ASSERT(span.is_dead);
    (span.previous != nullptr ? span.previous->next : oldest_dead_) = span.next;
    (span.next != nullptr ? span.next->previous : newest_dead_) = span.previous;
    --dead_count_;
    map_.enter(span.base, span.used_bytes, nullptr);
    spare(span);
}

}  // namespace carbide::detail
