// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "heap/thread_caching/chunk.hpp"
#include "heap/thread_caching/unit_pool.hpp"
#include "platform/lock.hpp"

namespace carbide::caching {

/// Free slots as bins and depots hold them: an address, encoded with the process's secret where the
/// allocator is hardened. The code of null is what stands below a bin.
class EntryCode {
public:
    explicit EntryCode(std::uintptr_t secret) noexcept : secret_(secret) {}

    [[nodiscard]] void* encode(std::uintptr_t address) const noexcept {
        return reinterpret_cast<void*>(address ^ secret_);
    }
    [[nodiscard]] std::uintptr_t decode(const void* entry) const noexcept {
        return reinterpret_cast<std::uintptr_t>(entry) ^ secret_;
    }

private:
    std::uintptr_t secret_;
};

/// What threads share of one size class: the depot, through which free slots go from thread to
/// thread as batches of entries, and the slabs that have free slots.
///
///     bins of a thread ◀──batch──▶ depot ──what is too much──▶ slabs ──empty ones──▶ UnitPool
///
/// The caller holds the lock, but for what says otherwise.
class alignas(64) ClassDepot {
public:
    /// `entries` has room for `capacity_of(layout)`.
    void init(unsigned size_class, void** entries, UnitPool& pool, EntryCode code) noexcept;

    [[nodiscard]] static constexpr std::size_t capacity_of(const ClassLayout& layout) noexcept {
        return std::size_t{layout.bin_entries_max} * (layout.slot_bytes <= 1024 ? 8 : 2);
    }

    platform::Lock lock;

    /// Moves up to `count` entries to `target`: from the depot, then from slabs. The last is the
    /// one to use first. Returns how many there were.
    std::size_t take(void** target, std::size_t count) noexcept;

    /// Gives entries back. Slabs that are empty then go to the front of `emptied`.
    void give(void* const* entries, std::size_t count, Slab*& emptied) noexcept;

    /// Everything in the depot goes to the slabs, and the empty slab that is kept to `emptied`.
    void flush(Slab*& emptied) noexcept;

    /// A new slab, whose units the pool gave. `first_slot` is where it may have been moved to.
    void add(Slab& slab, std::uintptr_t first_slot, unsigned slot_count) noexcept;

    /// Gives the pages of free slots back to the system. Returns the bytes.
    std::size_t purge() noexcept;

    /// How many entries a bin should hold at most: as many as were taken from slabs, and much
    /// fewer while that falls: what is cached keeps slabs from becoming empty. Without the lock.
    [[nodiscard]] std::size_t bin_entries_wanted() const noexcept;

    /// True once when no more than half is left of what was taken from slabs at the last time, or
    /// since; of slabs with little in them, three quarters. Without the lock.
    [[nodiscard]] bool has_shrunk() noexcept;

    [[nodiscard]] std::size_t depot_count() const noexcept { return entry_count_; }
    [[nodiscard]] std::size_t slab_count() const noexcept { return slab_count_; }
    [[nodiscard]] std::size_t free_count() const noexcept { return free_count_; }
    /// In all slabs, lent out or not.
    [[nodiscard]] std::size_t slot_count() const noexcept {
        return slot_count_.load(std::memory_order_relaxed);
    }
    [[nodiscard]] bool is_valid() const noexcept;

private:
    [[nodiscard]] bool is_sparse(std::size_t taken_count) const noexcept;
    [[nodiscard]] bool is_falling() const noexcept;
    void put_in_slabs(void* const* entries, std::size_t count, Slab*& emptied) noexcept;
    void put_in_slab(Slab& slab, std::uintptr_t address) noexcept;
    [[nodiscard]] Slab& slab_of(std::uintptr_t address) const noexcept;
    void drop(Slab& slab, Slab*& emptied) noexcept;
    void list(Slab& slab) noexcept;
    void unlist(Slab& slab) noexcept;
    void update_counts() noexcept;
    [[nodiscard]] std::size_t take_from(Slab& slab, void** target, std::size_t count) noexcept;

    UnitPool* pool_ = nullptr;
    void** entries_ = nullptr;
    std::size_t entry_count_ = 0;
    Slab* partial_ = nullptr;      // With free slots.
    std::size_t empty_count_ = 0;  // Slabs in that list whose slots are all free.
    std::size_t slab_count_ = 0;
    std::atomic<std::size_t> slot_count_ = 0;  // In all slabs.
    std::size_t free_count_ = 0;               // In slabs, and free.
    std::size_t dirty_count_ = 0;       // Of those, in slabs with pages that could be given back.
    std::int64_t told_free_bytes_ = 0;  // What the pool was told.
    std::int64_t told_dirty_bytes_ = 0;
    // slot_count_ - free_count_, for readers without the lock.
    std::atomic<std::size_t> taken_count_ = 0;
    std::atomic<std::size_t> taken_high_ = 0;  // For `has_shrunk`.
    EntryCode code_{0};
    unsigned size_class_ = 0;
};

}  // namespace carbide::caching
