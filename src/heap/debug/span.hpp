// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <new>

#include "heap/debug/size_classes.hpp"

namespace carbide::detail {

struct Chunk;
struct Shard;

enum class SlotState : unsigned char {
    unused,       // Never lent out.
    live,         // Lent out.
    freed,        // May be lent out again.
    quarantined,  // Freed, and not to be lent out yet.
};

/// What is known of one slot. Lies apart from the slots, where overruns do not reach it.
struct Record {
    std::uint32_t packed = 0;     // Size, alignment and state: see `pack`.
    std::uint32_t allocated = 0;  // StackTrace ids.
    std::uint32_t freed = 0;
    std::uint32_t next_free = 0;  // One above the index of the next free slot of the span.

    // Sizes of large allocations do not fit; `Span::large_bytes` has them, and this is 0.
    static constexpr std::uint32_t pack(std::size_t size_bytes, unsigned alignment_log2,
                                        SlotState state) noexcept {
        return static_cast<std::uint32_t>(size_bytes) | alignment_log2 << 20 |
               static_cast<std::uint32_t>(state) << 26;
    }
    [[nodiscard]] std::size_t small_bytes() const noexcept { return packed & 0xFFFFF; }
    [[nodiscard]] std::size_t alignment_bytes() const noexcept {
        return std::size_t{1} << (packed >> 20 & 0x3F);
    }
    [[nodiscard]] SlotState state() const noexcept { return static_cast<SlotState>(packed >> 26); }
    void set_state(SlotState state) noexcept {
        packed = (packed & 0x3FFFFFF) | static_cast<std::uint32_t>(state) << 26;
    }
};
static_assert(sizeof(Record) == 16, "the header promises 16 bytes per allocation");

[[nodiscard]] inline unsigned log2_of(std::align_val_t alignment) noexcept {
    return static_cast<unsigned>(std::countr_zero(static_cast<std::size_t>(alignment)));
}

/// Consecutive slots of one size, or one large allocation. Never moves, and its memory stays until
/// `deinit`, so that a stale pointer to one can be looked at under the lock of its shard.
struct Span {
    std::uintptr_t base = 0;
    std::size_t used_bytes = 0;    // From `base`, in whole units; 0 while it is no one's.
    std::uint64_t reciprocal = 0;  // Of slot_bytes / 16, for `index_of`.
    std::uint32_t slot_bytes = 0;
    std::uint32_t slot_count = 0;
    std::uint32_t fresh = 0;       // Slots from this index on were never lent out.
    std::uint32_t free_head = 0;   // One above the index of the newest free slot, 0: none.
    std::uint32_t held_count = 0;  // Live and quarantined slots.
    Record* records = nullptr;
    std::atomic<Shard*> shard = nullptr;  // Whose lock guards it.

    Span* partial_next = nullptr;  // Spans of one bin that have room.
    Span* partial_previous = nullptr;
    Span* next = nullptr;  // All spans of the shard, or the dead ones.
    Span* previous = nullptr;
    Chunk* chunk = nullptr;  // Null: a large allocation.

    // Of a large allocation: requested size, address, and the bytes around it that are canaries.
    std::size_t large_bytes = 0;
    std::uintptr_t large_block = 0;
    std::uintptr_t pads_begin = 0;
    std::uintptr_t pads_end = 0;

    unsigned size_class = 0;
    bool is_partial = false;
    bool is_large = false;
    bool is_guarded = false;  // Large, and between pages that nobody may touch.
    bool is_dead = false;     // Its memory was given back; the records tell of what was there.

    void reset(Record* new_records, std::uint32_t new_slot_count, unsigned new_class) noexcept {
        base = 0;
        used_bytes = 0;
        fresh = free_head = held_count = 0;
        records = new_records;
        slot_count = new_slot_count;
        size_class = new_class;
        partial_next = partial_previous = next = previous = nullptr;
        chunk = nullptr;
        large_bytes = large_block = pads_begin = pads_end = 0;
        is_partial = is_large = is_guarded = is_dead = false;
    }

    [[nodiscard]] bool has_room() const noexcept { return free_head != 0 || fresh < slot_count; }

    /// Of the slot that holds this address. Exact: the error of the reciprocal is below 2^-12 of an
    /// index, and there are at most 2^15 multiples of 16 in a span.
    [[nodiscard]] std::uint32_t index_of(std::uintptr_t address) const noexcept {
        const std::uint64_t steps = (address - base) / slot_step_bytes;
        return static_cast<std::uint32_t>(steps * reciprocal >> 32);
    }

    [[nodiscard]] std::uintptr_t slot_address(std::uint32_t index) const noexcept {
        return base + std::uintptr_t{index} * slot_bytes;
    }

    [[nodiscard]] std::size_t size_bytes(const Record& record) const noexcept {
        return is_large ? large_bytes : record.small_bytes();
    }
};

/// Where an allocation starts in its slot: behind the pad, at the next multiple of its alignment.
[[nodiscard]] inline std::uintptr_t block_address(std::uintptr_t slot, std::size_t pad_bytes,
                                                  std::size_t alignment_bytes) noexcept {
    return (slot + pad_bytes + alignment_bytes - 1) & ~(alignment_bytes - 1);
}

}  // namespace carbide::detail
