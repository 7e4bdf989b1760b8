// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>

#include "carbide/allocator.hpp"
#include "carbide/memory_marks.hpp"
#include "carbide/result.hpp"

namespace carbide {

/// Slots of one size on a free list: the untyped core of `PoolAllocator<T>`.
///
/// Memory         Chunks from the backing, each twice as large as the last, up to 256 KiB.
/// Ownership      Owns its chunks. Borrows the backing, which must outlive it.
/// Out of memory  `take` returns null when a fixed pool is empty or the backing fails.
/// Threads        One at a time.
/// Cost           Inlined pop and push; 32 bytes of bookkeeping per chunk. Fresh slots are put on
///                the list 64 at a time, so that no request does unbounded work.
/// Source         The free list through the free slots is folklore; Zig 0.15 `std.heap.MemoryPool`.
class SlotPool {
public:
    struct Options {
        Allocator backing;
        std::size_t slot_bytes;
        std::align_val_t alignment;
        std::size_t first_chunk_slots;
        bool growable;
    };

    /// Allocates nothing until the first request. Slots are made large and aligned enough for the
    /// free list.
    explicit SlotPool(const Options& options) noexcept;
    ~SlotPool();  // Gives every chunk back.

    SlotPool(const SlotPool&) = delete;
    SlotPool& operator=(const SlotPool&) = delete;

    /// A slot, undefined; null where there is none.
    [[nodiscard, gnu::always_inline]] void* take() noexcept {
        FreeSlot* const slot = free_;
        if (slot == nullptr) [[unlikely]] {
            return take_slow();
        }
        mark_undefined_inline(slot, slot_bytes_);  // Before its link is read.
        free_ = slot->next;
        ++live_count_;
        return slot;
    }

    /// Takes a slot back.
    [[gnu::always_inline]] void give(void* memory) noexcept {
        CARBIDE_CHECK(live_count_ != 0, "a pool got more slots back than it gave");
        CARBIDE_ASSERT(owns(memory));
        if (closed_) [[unlikely]] {
            return give_slow(memory);
        }
        mark_undefined_inline(memory, sizeof(FreeSlot));  // It may have been lent for fewer bytes.
        free_ = new (memory) FreeSlot{free_};
        --live_count_;
        mark_no_access_inline(memory, slot_bytes_);
    }

    /// Makes sure that the next `slot_count` takes succeed without calling the backing. Works on
    /// pools that do not grow, too.
    [[nodiscard]] Result<void> preheat(std::size_t slot_count) noexcept;

    /// Gives every chunk back to the backing.
    void free_chunks() noexcept;

    /// Keeps the chunks; every slot is free again.
    void forget_slots() noexcept;

    /// True for the beginning of a slot, lent out or not. Linear in the number of chunks.
    [[nodiscard]] bool owns(const void* memory) const noexcept;

    /// True for every address in a chunk. Linear in the number of chunks.
    [[nodiscard]] bool holds(const void* memory) const noexcept;

    /// Walks the free list. For tests; linear.
    [[nodiscard]] bool is_valid() const noexcept;

    [[nodiscard]] std::size_t slot_bytes() const noexcept { return slot_bytes_; }
    [[nodiscard]] std::align_val_t alignment() const noexcept { return alignment_; }
    [[nodiscard]] std::size_t live_count() const noexcept { return live_count_; }
    [[nodiscard]] std::size_t capacity_count() const noexcept { return capacity_count_; }
    [[nodiscard]] std::size_t capacity_bytes() const noexcept { return capacity_bytes_; }

private:
    struct FreeSlot {
        FreeSlot* next;
    };
    struct Chunk;

    [[nodiscard, gnu::noinline]] void* take_slow() noexcept;
    [[gnu::noinline]] void give_slow(void* memory) noexcept;
    [[nodiscard]] bool add_chunk(std::size_t slot_count) noexcept;
    [[nodiscard]] bool thread_fresh_slots() noexcept;
    [[nodiscard]] std::byte* first_slot(Chunk& chunk) const noexcept;
    [[nodiscard]] static FreeSlot* next_of(FreeSlot* slot) noexcept;

    FreeSlot* free_ = nullptr;
    std::size_t slot_bytes_;
    std::size_t live_count_ = 0;
    bool closed_;  // Where a checker watches that inlined code could not tell: `free_` stays null.
    bool growable_;
    FreeSlot* hidden_free_ = nullptr;  // The free list while `closed_`.
    Chunk* oldest_ = nullptr;
    Chunk* newest_ = nullptr;
    Chunk* fresh_ = nullptr;  // The first chunk with slots that were never lent, or the newest.
    std::size_t next_chunk_slots_;
    std::size_t capacity_count_ = 0;
    std::size_t capacity_bytes_ = 0;
    std::align_val_t alignment_;
    Allocator backing_;
};

}  // namespace carbide
