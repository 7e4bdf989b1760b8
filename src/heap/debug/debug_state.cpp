// SPDX-License-Identifier: MIT
#include "heap/debug/debug_state.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "carbide/memory_marks.hpp"
#include "heap/debug/pads.hpp"
#include "platform/traces.hpp"

// A slot, low address first. Slots and spans start at multiples of 16.
//
//     [pad before][to the alignment][allocation][pad after][rest of the slot]
//
// The pads hold canaries from the moment of allocation to that of the free. What lies between the
// first pad and an allocation aligned to more than 16 bytes, and the rest, is not looked at.
namespace carbide::detail {
namespace {

// Threads are numbered as they come, and so spread over the shards.
std::atomic<unsigned> thread_count = 0;
thread_local unsigned thread_number = 0;

constexpr std::int64_t flush_bytes = std::int64_t{64} << 10;

void* pointer(std::uintptr_t address) noexcept { return reinterpret_cast<void*>(address); }

}  // namespace

Shard& DebugState::shard_of_thread() noexcept {
    if (!options_.thread_safe) return shards_[0];
    if (thread_number == 0) {
        thread_number = thread_count.fetch_add(1, std::memory_order_relaxed) + 1;
    }
    return shards_[(thread_number - 1) % shard_count];
}

StackTrace DebugState::trace_of(const platform::StackPoint& from) const noexcept {
    if (options_.stack_frame_count == 0) return {};
    return platform::capture_trace(from, options_.stack_frame_count);
}

void* DebugState::alloc(std::size_t size_bytes, std::align_val_t alignment,
                        const platform::StackPoint& from) noexcept {
    if (!options_.thread_safe) check_thread(from);
    if (is_over_ || !charge(size_bytes)) [[unlikely]] {
        if (options_.verbose_log) log("alloc", nullptr, size_bytes, alignment);
        return nullptr;
    }
    const StackTrace trace = trace_of(from);
    const auto alignment_bytes = static_cast<std::size_t>(alignment);
    const std::size_t extra_bytes =
        overhead_bytes_ + (alignment_bytes > 16 ? alignment_bytes - 16 : 0);

    Shard& shard = shard_of_thread();
    Findings findings;
    void* memory = nullptr;
    {
        const ShardGuard guard(shard, is_locking());
        if (options_.guard != DebugAllocator::Guard::off) {
            memory = alloc_guarded(shard, size_bytes, alignment, trace);
        } else if (size_bytes <= slot_bytes_max && extra_bytes <= slot_bytes_max - size_bytes) {
            memory = alloc_small(shard, size_bytes, alignment,
                                 size_class_of(size_bytes + extra_bytes), trace, from, findings);
        } else {
            memory = alloc_large(shard, size_bytes, alignment, trace);
        }
    }
    if (memory == nullptr) [[unlikely]] {
        refund(size_bytes);
    } else if (options_.fill_allocated.has_value()) {
        std::memset(memory, *options_.fill_allocated, size_bytes);
    }
    if (!findings.is_empty()) [[unlikely]]
        tell(findings);
    if (options_.verbose_log) [[unlikely]]
        log("alloc", memory, size_bytes, alignment);
    return memory;
}

void* DebugState::alloc_small(Shard& shard, std::size_t size_bytes, std::align_val_t alignment,
                              unsigned size_class, StackTrace trace,
                              const platform::StackPoint& from, Findings& findings) noexcept {
    Span* const span = take_from_bin(shard, size_class);
    if (span == nullptr) return nullptr;
    Found found{span, 0, nullptr};
    if (span->free_head != 0) {
        found.index = span->free_head - 1;
        found.record = &span->records[found.index];
        span->free_head = found.record->next_free;
        // Its last owner may have written to it since the free.
        if (options_.fill_freed.has_value())
            add_late_write(found, block_of(found), &from, findings);
    } else {
        found.index = span->fresh++;
        found.record = &span->records[found.index];
    }
    ++span->held_count;
    if (!span->has_room()) shard.remove_partial(*span);

    *found.record = {
        .packed = Record::pack(size_bytes, log2_of(alignment), SlotState::live),
        .allocated = trace.id(),
    };
    const std::uintptr_t block = block_of(found);
    write_pads(found, block, size_bytes);
    count_alloc(shard, size_bytes);
    return pointer(block);
}

Span* DebugState::take_from_bin(Shard& shard, unsigned size_class) noexcept {
    Bin& bin = shard.bins[size_class];
    if (bin.hot != nullptr && bin.hot->has_room()) [[likely]]
        return bin.hot;
    bin.hot = bin.partial != nullptr ? bin.partial : add_span(shard, size_class);
    return bin.hot;
}

bool DebugState::lookup(Span& span, std::uintptr_t address, Found& found) const noexcept {
    if (address - span.base >= span.used_bytes) return false;
    const std::uint32_t index = span.is_large ? 0 : span.index_of(address);
    if (index >= span.slot_count) return false;
    found = {&span, index, &span.records[index]};
    return found.record->state() != SlotState::unused;
}

// What nearly every free is: of a live allocation, with its own address, size and alignment.
bool DebugState::is_as_claimed(const Found& found, std::uintptr_t address, std::size_t size_bytes,
                               std::align_val_t alignment) const noexcept {
    const bool is_large = found.span->is_large;
    const std::uint32_t expected =
        Record::pack(is_large ? 0 : size_bytes, log2_of(alignment), SlotState::live);
    return found.record->packed == expected && block_of(found) == address &&
           (is_large ? found.span->large_bytes == size_bytes : size_bytes <= slot_bytes_max);
}

void DebugState::free(void* memory, std::size_t size_bytes, std::align_val_t alignment,
                      const platform::StackPoint& from) noexcept {
    if (!options_.thread_safe) check_thread(from);
    const auto address = reinterpret_cast<std::uintptr_t>(memory);
    // Both pads are cold nearly always. Their lines come while the trace is taken and the record
    // looked up; a wrong address or size does no harm.
    __builtin_prefetch(pointer(address - 1));
    __builtin_prefetch(pointer(address + size_bytes));
    const StackTrace trace = trace_of(from);
    Findings findings;
    if (Span* const span = map_.find(address); span != nullptr) {
        Shard& shard = *span->shard.load(std::memory_order_relaxed);
        const ShardGuard guard(shard, is_locking());
        Found found;
        if (span->shard.load(std::memory_order_relaxed) != &shard || !lookup(*span, address, found))
            [[unlikely]] {
            add_foreign(memory, size_bytes, alignment, from, findings);
        } else if (is_as_claimed(found, address, size_bytes, alignment) ||
                   examine(found, address, size_bytes, alignment, from, findings)) {
            free_found(shard, found, trace, from, findings);
        }
    } else {
        add_foreign(memory, size_bytes, alignment, from, findings);
    }
    if (!findings.is_empty()) [[unlikely]] {
        tell(findings);
        told_by_remap_.store(nullptr, std::memory_order_relaxed);
    }
    if (options_.verbose_log) [[unlikely]]
        log("free", memory, size_bytes, alignment);
}

void DebugState::free_found(Shard& shard, const Found& found, StackTrace trace,
                            const platform::StackPoint& from, Findings& findings) noexcept {
    Span& span = *found.span;
    Record& record = *found.record;
    const std::uintptr_t block = block_of(found);
    const std::size_t size_bytes = span.size_bytes(record);
    if (!pads_are_intact(found, block, size_bytes)) [[unlikely]] {
        add_pad_findings(found, block, &from, findings);
    }
    count_free(shard, size_bytes);
    record.freed = trace.id();
    if (span.is_guarded) {
        record.set_state(SlotState::freed);
        release(shard, found);
        return;
    }
    if (options_.fill_freed.has_value()) fill(block, size_bytes, *options_.fill_freed);
    if (marks_) mark_no_access(pointer(block), size_bytes);

    if (options_.quarantine_bytes != 0) {
        const QuarantinedSlot slot{&span, found.index};
        if (shard.quarantine.push(slot, size_bytes)) {
            record.set_state(SlotState::quarantined);
            while (shard.quarantine.is_over(options_.quarantine_bytes)) {
                let_go(shard, shard.quarantine.oldest(), &from, findings);
            }
            return;
        }
    }
    record.set_state(SlotState::freed);
    release(shard, found);
}

// The oldest quarantined slot becomes a free one.
void DebugState::let_go(Shard& shard, const QuarantinedSlot& slot, const platform::StackPoint* from,
                        Findings& findings) noexcept {
    const Found found{slot.span, slot.index, &slot.span->records[slot.index]};
    shard.quarantine.pop(found.span->size_bytes(*found.record));
    add_late_write(found, block_of(found), from, findings);
    found.record->set_state(SlotState::freed);
    release(shard, found);
}

// Makes a freed slot ready for its next use.
void DebugState::release(Shard& shard, const Found& found) noexcept {
    Span& span = *found.span;
    --span.held_count;
    if (span.is_large) {
        retire_large(shard, span);
        return;
    }
    Bin& bin = shard.bins[span.size_class];
    const bool was_full = !span.is_partial;
    found.record->next_free = span.free_head;
    span.free_head = found.index + 1;
    if (was_full) shard.insert_partial(span);
    if (span.held_count == 0 && (bin.partial != &span || span.partial_next != nullptr)) {
        retire_span(shard, span);  // The bin has others with room.
    } else {
        bin.hot = &span;
    }
}

bool DebugState::resize(Resizing kind, void* memory, std::size_t old_bytes, std::size_t new_bytes,
                        std::align_val_t alignment, const platform::StackPoint& from) noexcept {
    if (!options_.thread_safe) check_thread(from);
    const auto address = reinterpret_cast<std::uintptr_t>(memory);
    Findings findings;
    bool resized = false;
    Span* const span = map_.find(address);
    if (span == nullptr) {
        add_foreign(memory, old_bytes, alignment, from, findings);
    } else {
        Shard& shard = *span->shard.load(std::memory_order_relaxed);
        const ShardGuard guard(shard, is_locking());
        Found found;
        if (span->shard.load(std::memory_order_relaxed) != &shard ||
            !lookup(*span, address, found)) {
            add_foreign(memory, old_bytes, alignment, from, findings);
        } else if (is_as_claimed(found, address, old_bytes, alignment) ||
                   examine(found, address, old_bytes, alignment, from, findings)) {
            resized = resize_found(shard, found, new_bytes, from, findings);
        }
    }
    if (!findings.is_empty()) [[unlikely]] {
        told_by_remap_.store(nullptr, std::memory_order_relaxed);
        tell(findings);
        if (kind == Resizing::remap && !resized) {
            told_by_remap_.store(memory, std::memory_order_relaxed);
        }
    }
    if (options_.verbose_log && resized) [[unlikely]]
        log("resize", memory, new_bytes, alignment);
    return resized;
}

bool DebugState::resize_found(Shard& shard, const Found& found, std::size_t new_bytes,
                              const platform::StackPoint& from, Findings& findings) noexcept {
    Span& span = *found.span;
    Record& record = *found.record;
    const std::uintptr_t block = block_of(found);
    const std::size_t old_bytes = span.size_bytes(record);
    if (!pads_are_intact(found, block, old_bytes)) add_pad_findings(found, block, &from, findings);

    if (span.is_guarded) return false;  // Its end, or its start, is at the page that guards it.
    const std::uintptr_t end = span.is_large ? span.base + span.used_bytes
                                             : span.slot_address(found.index) + span.slot_bytes;
    const std::size_t room_bytes = end - block;
    if (new_bytes > room_bytes || options_.pad_after_bytes > room_bytes - new_bytes) return false;
    if (new_bytes > old_bytes) {
        if (!charge(new_bytes - old_bytes)) return false;
    } else {
        refund(old_bytes - new_bytes);
    }

    if (span.is_large) {
        span.large_bytes = new_bytes;
    } else {
        record.packed = Record::pack(new_bytes, 0, SlotState::unused) | (record.packed & ~0xFFFFFU);
    }
    if (options_.refresh_trace_on_resize) record.allocated = trace_of(from).id();
    // Only what changes hands is marked: others may be reading what stays lent out.
    if (new_bytes < old_bytes) {
        const std::uintptr_t cut_off = block + new_bytes;
        if (options_.fill_freed.has_value()) {
            fill(cut_off, old_bytes - new_bytes, *options_.fill_freed);
        }
        if (marks_) mark_no_access(pointer(cut_off), old_bytes - new_bytes);
    } else if (marks_) {
        mark_undefined(pointer(block + old_bytes), new_bytes - old_bytes);
    }
    write_pad(block + new_bytes, pads_of(found, block, new_bytes).end);
    count_resize(shard, old_bytes, new_bytes);
    return true;
}

// Lends out what lies between them.
void DebugState::write_pads(const Found& found, std::uintptr_t block,
                            std::size_t size_bytes) noexcept {
    const auto [begin, end] = pads_of(found, block, size_bytes);
    if (marks_) [[unlikely]]
        mark_undefined(pointer(block), size_bytes);
    write_pad(begin, block);
    write_pad(block + size_bytes, end);
}

void DebugState::write_pad(std::uintptr_t begin, std::uintptr_t end) const noexcept {
    if (marks_) [[unlikely]]
        mark_undefined(pointer(begin), end - begin);
    Canary::write(begin, end - begin);
    if (marks_) [[unlikely]]
        mark_no_access(pointer(begin), end - begin);
}

bool DebugState::pads_are_intact(const Found& found, std::uintptr_t block,
                                 std::size_t size_bytes) const noexcept {
    const auto [begin, end] = pads_of(found, block, size_bytes);
    const std::uintptr_t after = block + size_bytes;
    if (marks_) [[unlikely]] {
        mark_defined(pointer(begin), block - begin);
        mark_defined(pointer(after), end - after);
    }
    const bool intact =
        Canary::is_intact(begin, block - begin) && Canary::is_intact(after, end - after);
    if (marks_) [[unlikely]] {
        mark_no_access(pointer(begin), block - begin);
        mark_no_access(pointer(after), end - after);
    }
    return intact;
}

void DebugState::fill(std::uintptr_t block, std::size_t size_bytes,
                      unsigned char byte) const noexcept {
    std::memset(pointer(block), byte, size_bytes);
}

void DebugState::count_alloc(Shard& shard, std::size_t size_bytes) noexcept {
    const auto bytes = static_cast<std::int64_t>(size_bytes);
    shard.was_used = true;
    shard.live_bytes += bytes;
    shard.peak_bytes = std::max(shard.peak_bytes, shard.live_bytes);
    shard.total_bytes += size_bytes;
    ++shard.live_count;
    ++shard.total_count;
    shard.unflushed_bytes += bytes;
    if (shard.unflushed_bytes > flush_bytes) flush(shard);
}

void DebugState::count_free(Shard& shard, std::size_t size_bytes) noexcept {
    const auto bytes = static_cast<std::int64_t>(size_bytes);
    shard.live_bytes -= bytes;
    --shard.live_count;
    shard.unflushed_bytes -= bytes;
    if (shard.unflushed_bytes < -flush_bytes) flush(shard);
    refund(size_bytes);
}

void DebugState::count_resize(Shard& shard, std::size_t old_bytes, std::size_t new_bytes) noexcept {
    const auto bytes = static_cast<std::int64_t>(new_bytes) - static_cast<std::int64_t>(old_bytes);
    shard.live_bytes += bytes;
    shard.peak_bytes = std::max(shard.peak_bytes, shard.live_bytes);
    if (bytes > 0) shard.total_bytes += static_cast<std::uint64_t>(bytes);
    shard.unflushed_bytes += bytes;
    if (std::abs(shard.unflushed_bytes) > flush_bytes) flush(shard);
}

void DebugState::flush(Shard& shard) noexcept {
    const std::int64_t sum =
        flushed_bytes_.fetch_add(shard.unflushed_bytes, std::memory_order_relaxed) +
        shard.unflushed_bytes;
    shard.unflushed_bytes = 0;
    std::int64_t peak = flushed_peak_bytes_.load(std::memory_order_relaxed);
    while (sum > peak &&
           !flushed_peak_bytes_.compare_exchange_weak(peak, sum, std::memory_order_relaxed)) {
    }
}

// Before the allocation, so that two threads cannot pass the same check and exceed the limit
// together; it is given back where the allocation fails.
bool DebugState::charge(std::size_t size_bytes) noexcept {
    if (options_.limit_bytes == DebugAllocator::no_limit) return true;
    std::size_t charged = charged_bytes_.load(std::memory_order_relaxed);
    do {
        if (size_bytes > options_.limit_bytes - charged) return false;
    } while (!charged_bytes_.compare_exchange_weak(charged, charged + size_bytes,
                                                   std::memory_order_relaxed));
    return true;
}

void DebugState::refund(std::size_t size_bytes) noexcept {
    if (options_.limit_bytes == DebugAllocator::no_limit) return;
    charged_bytes_.fetch_sub(size_bytes, std::memory_order_relaxed);
}

}  // namespace carbide::detail
