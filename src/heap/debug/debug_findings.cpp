// SPDX-License-Identifier: MIT
// What is wrong with an operation or a block. Called with the lock of the shard held: findings are
// only put down here.
#include <algorithm>
#include <cstring>

#include "carbide/memory_marks.hpp"
#include "heap/debug/debug_state.hpp"
#include "heap/debug/pads.hpp"
#include "heap/debug/registry.hpp"
#include "heap/heap_registry.hpp"
#include "platform/threads.hpp"
#include "platform/traces.hpp"

namespace carbide::detail {
namespace {

// Told even where allocations have no stacks, because findings are rare.
constexpr unsigned frame_count_here_min = 16;

const void* pointer(std::uintptr_t address) noexcept {
    return reinterpret_cast<const void*>(address);
}

// Copies the bytes that differ from the first one that does, as many as the finding holds.
template <class Expected>
bool find_damage(std::uintptr_t begin, std::size_t size_bytes, Expected expected, Finding& finding,
                 std::uintptr_t block) noexcept {
    const auto* const bytes = reinterpret_cast<const unsigned char*>(begin);
    std::size_t first = 0;
    while (first < size_bytes && bytes[first] == expected(first)) ++first;
    if (first == size_bytes) return false;
    std::size_t last = size_bytes - 1;
    while (bytes[last] == expected(last)) --last;
    finding.offset_bytes = static_cast<std::ptrdiff_t>(begin + first - block);
    finding.address = bytes + first;
    finding.found_byte_count = std::min(last - first + 1, sizeof finding.found_bytes);
    std::memcpy(finding.found_bytes, bytes + first, finding.found_byte_count);
    return true;
}

// Readable while it lives, for a checker that watches.
class Readable {
public:
    Readable(bool marks, std::uintptr_t begin, std::size_t size_bytes) noexcept
        : marks_(marks), begin_(begin), size_bytes_(size_bytes) {
        if (marks_) mark_defined(pointer(begin_), size_bytes_);
    }
    ~Readable() {
        if (marks_) mark_no_access(pointer(begin_), size_bytes_);
    }
    Readable(const Readable&) = delete;
    Readable& operator=(const Readable&) = delete;

private:
    bool marks_;
    std::uintptr_t begin_;
    std::size_t size_bytes_;
};

}  // namespace

StackTrace DebugState::trace_here(const platform::StackPoint* from) const noexcept {
    if (from == nullptr) return {};
    return platform::capture_trace(*from,
                                   std::max(options_.stack_frame_count, frame_count_here_min));
}

Finding DebugState::describe(FindingKind kind, const Found& found,
                             const platform::StackPoint* from) const noexcept {
    const void* const block = pointer(block_of(found));
    return {.kind = kind,
            .allocator_name = options_.name,
            .address = block,
            .block = block,
            .size_bytes = found.span->size_bytes(*found.record),
            .alignment_bytes = found.record->alignment_bytes(),
            .here = trace_here(from),
            .allocated = StackTrace::from_id(found.record->allocated),
            .freed = StackTrace::from_id(found.record->freed)};
}

// Whether the operation can go on, with what is recorded.
bool DebugState::examine(const Found& found, std::uintptr_t address, std::size_t size_bytes,
                         std::align_val_t alignment, const platform::StackPoint& from,
                         Findings& findings) noexcept {
    const std::uintptr_t block = block_of(found);
    if (address != block) {
        Finding finding = describe(FindingKind::interior_free, found, &from);
        finding.address = pointer(address);
        finding.offset_bytes = static_cast<std::ptrdiff_t>(address - block);
        findings.add(finding);
        return false;
    }
    if (found.record->state() != SlotState::live) {
        findings.add(describe(FindingKind::double_free, found, &from));
        return false;
    }
    if (size_bytes != found.span->size_bytes(*found.record)) {
        Finding finding = describe(FindingKind::wrong_size, found, &from);
        finding.claimed_size_bytes = size_bytes;
        findings.add(finding);
    }
    if (static_cast<std::size_t>(alignment) != found.record->alignment_bytes()) {
        Finding finding = describe(FindingKind::wrong_alignment, found, &from);
        finding.claimed_alignment_bytes = static_cast<std::size_t>(alignment);
        findings.add(finding);
    }
    return true;
}

void DebugState::add_foreign(const void* memory, std::size_t size_bytes, std::align_val_t alignment,
                             const platform::StackPoint& from, Findings& findings) noexcept {
    findings.add({.kind = FindingKind::foreign_free,
                  .allocator_name = options_.name,
                  .address = memory,
                  .claimed_size_bytes = size_bytes,
                  .claimed_alignment_bytes = static_cast<std::size_t>(alignment),
                  .here = trace_here(&from),
                  .allocator_is_over = is_over_});
}

// Both pads, each a finding of its own; they are as new afterwards.
void DebugState::add_pad_findings(const Found& found, std::uintptr_t block,
                                  const platform::StackPoint* from, Findings& findings) noexcept {
    const std::size_t size_bytes = found.span->size_bytes(*found.record);
    const auto look = [&](FindingKind kind, std::uintptr_t pad, std::size_t pad_bytes) {
        const Readable readable(marks_, pad, pad_bytes);
        Finding finding = describe(kind, found, from);
        const auto expected = [&](std::size_t i) { return Canary::byte_at(pad, i); };
        if (!find_damage(pad, pad_bytes, expected, finding, block)) return;
        findings.add(finding);
        if (marks_) mark_undefined(pointer(pad), pad_bytes);
        Canary::write(pad, pad_bytes);
    };
    const auto [begin, end] = pads_of(found, block, size_bytes);
    const std::uintptr_t after = block + size_bytes;
    look(FindingKind::write_before, begin, block - begin);
    look(FindingKind::write_after, after, end - after);
}

// Of a freed slot. Refills it, so that nothing is told twice.
void DebugState::add_late_write(const Found& found, std::uintptr_t block,
                                const platform::StackPoint* from, Findings& findings) noexcept {
    const std::size_t size_bytes = found.span->size_bytes(*found.record);
    if (!options_.fill_freed.has_value()) return;  // Nothing to compare with.
    const unsigned char fill_byte = *options_.fill_freed;
    const Readable readable(marks_, block, size_bytes);
    const auto* const bytes = static_cast<const unsigned char*>(pointer(block));
    // The first byte is right, and each one is as the one before it.
    if (size_bytes == 0 ||
        (bytes[0] == fill_byte && std::memcmp(bytes, bytes + 1, size_bytes - 1) == 0)) {
        return;
    }
    Finding finding = describe(FindingKind::write_after_free, found, from);
    const auto expected = [&](std::size_t) { return fill_byte; };
    if (!find_damage(block, size_bytes, expected, finding, block)) return;
    findings.add(finding);
    fill(block, size_bytes, fill_byte);
}

bool DebugState::guards(std::uintptr_t address) const noexcept {
    const Span* const span = map_.find(address);
    return span != nullptr && span->is_guarded;
}

// No lock: the thread that faulted may hold one. The allocation is looked at as it is.
void DebugState::tell_fault(std::uintptr_t address, bool is_write,
                            const platform::StackPoint& at) noexcept {
    const auto distance = [&](const Span* span) {
        const std::uintptr_t begin = span->large_block;
        const std::uintptr_t end = begin + span->large_bytes;
        return address < begin ? begin - address : address >= end ? address - end + 1 : 0;
    };
    // The page that guards the end of one allocation may lie nearer to the one behind it.
    Span* span = map_.find(address);
    if (span == nullptr) return;
    for (Span* const neighbor :
         {map_.find(span->base - 1), map_.find(span->base + span->used_bytes)}) {
        if (neighbor == nullptr || !neighbor->is_guarded) continue;
        if (distance(neighbor) < distance(span)) span = neighbor;
    }
    const Found found{span, 0, span->records};
    const bool is_freed = found.record->state() != SlotState::live;
    Finding finding = describe(
        is_freed ? FindingKind::use_after_free : FindingKind::out_of_bounds_access, found, &at);
    finding.address = pointer(address);
    finding.offset_bytes = static_cast<std::ptrdiff_t>(address - span->large_block);
    finding.is_write = is_write;
    reporter_.tell(finding);
}

void DebugState::tell(Findings& findings) noexcept {
    for (std::size_t i = 0; i < findings.count(); ++i) {
        Finding& finding = findings[i];
        if (finding.kind == FindingKind::foreign_free) {
            finding.other_allocator_name = Registry::name_of_owner(finding.address, *this);
        }
        // An arena's memory may well be one of our allocations.
        if ((finding.kind == FindingKind::foreign_free ||
             finding.kind == FindingKind::interior_free) &&
            finding.other_allocator_name == nullptr) {
            finding.other_allocator_name = HeapRegistry::name_of_owner(finding.address);
        }
    }
    for (std::size_t i = 0; i < findings.count(); ++i) {
        if (!was_told_by_remap(findings[i])) reporter_.tell(findings[i]);
    }
    findings.clear();
}

// Once per remap, and only for mistakes in the arguments.
bool DebugState::was_told_by_remap(const Finding& finding) noexcept {
    const void* const told = told_by_remap_.load(std::memory_order_relaxed);
    if (told == nullptr) return false;
    switch (finding.kind) {
        case FindingKind::double_free:
        case FindingKind::interior_free:
        case FindingKind::foreign_free:
        case FindingKind::wrong_size:
        case FindingKind::wrong_alignment:
            return finding.address == told;
        default:
            return false;
    }
}

void DebugState::check_thread(const platform::StackPoint& from) noexcept {
    const int thread = platform::thread_id();
    int owner = owner_thread_.load(std::memory_order_relaxed);
    if (owner == thread) [[likely]]
        return;
    if (owner == unowned && owner_thread_.compare_exchange_strong(owner, thread)) {
        owner_trace_.store(trace_here(&from).id(), std::memory_order_release);
        return;
    }
    // Told once: from here on it is anybody's, and takes locks, so that no more harm is done than
    // may have been already.
    if (owner == anybodys || !owner_thread_.compare_exchange_strong(owner, anybodys)) return;
    needs_locks_.store(true, std::memory_order_relaxed);
    Finding finding{
        .kind = FindingKind::second_thread,
        .allocator_name = options_.name,
        .here = trace_here(&from),
        .first_owner = StackTrace::from_id(owner_trace_.load(std::memory_order_acquire)),
        .first_thread = owner,
        .second_thread = thread};
    reporter_.tell(finding);
}

void DebugState::detach_from_thread() noexcept {
    owner_thread_.store(unowned, std::memory_order_release);
}

}  // namespace carbide::detail
