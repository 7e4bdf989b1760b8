// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "carbide/allocator.hpp"
#include "heap/thread_caching/chunk.hpp"
#include "heap/thread_caching/chunk_set.hpp"
#include "platform/lock.hpp"

namespace carbide::caching {

/// The chunks, and the units in them that belong to no slab.
///
/// Free units are dirty (their pages are still there) or clean. Dirty ones are used first; when
/// there are more of them than may be retained, the pages of those that were freed first go back.
///
/// Any thread may call anything. No lock is held while the backing or the kernel is called.
class UnitPool {
public:
    struct Options {
        Allocator backing;
        std::size_t retained_bytes_max;
        unsigned decay_ms;
        bool hardened;
        bool huge_pages;
        bool marks;  // A checker watches, and is to be told.
    };

    explicit UnitPool(const Options& options) noexcept;

    /// A slab of that many units; null where the backing is out of memory. What it has of slots is
    /// not initialised. `large_bytes` is for one that is `large`.
    [[nodiscard]] Slab* take(Slab::Kind kind, unsigned unit_count,
                             std::size_t large_bytes = 0) noexcept;

    /// The units of a slab whose pages may be dirty.
    void give(Slab& slab) noexcept;

    /// More or fewer units for a large slab, at its end. False where those behind it are not free.
    [[nodiscard]] bool resize(Slab& slab, unsigned unit_count, std::size_t large_bytes) noexcept;

    /// Gives pages back until no more than `dirty_bytes_max` are dirty, and chunks that are free
    /// and clean: all but one, or all where that is 0.
    void purge(std::size_t dirty_bytes_max) noexcept;

    /// The same with what was freed before the decay time.
    void purge_decayed(std::uint64_t now_ms) noexcept;

    /// The sum of all that `purge` and its like have given.
    [[nodiscard]] std::size_t given_back_bytes() noexcept;

    /// Every chunk goes back to the backing.
    void deinit() noexcept;

    [[nodiscard]] bool contains(const void* memory) const noexcept {
        return chunk_set_.contains(memory);
    }

    /// Calls `visit(chunk)` for each chunk, under the lock.
    template <class Visit>
    void visit_chunks(Visit visit) noexcept {
        lock_.lock();
        for (Chunk* chunk = all_; chunk != nullptr; chunk = chunk->next_of_all) visit(*chunk);
        lock_.unlock();
    }

    /// Of free slots in slabs: all, and those whose pages may be resident. Depots keep them up to
    /// date.
    std::atomic<std::int64_t> free_slot_bytes = 0;
    std::atomic<std::int64_t> dirty_slot_bytes = 0;

    /// Whether more is free, and was not given back, than may be retained. Until then nothing is
    /// given back, and nothing shrinks: what comes and goes costs no call of the system.
    [[nodiscard]] bool has_excess() const noexcept {
        const std::int64_t free_bytes =
            dirty_slot_bytes.load(std::memory_order_relaxed) + bytes_of(dirty_count_);
        return free_bytes > retained_bytes_max();
    }

    [[nodiscard]] bool is_valid() noexcept;

    /// For fork.
    void lock() noexcept { lock_.lock(); }
    void unlock() noexcept { lock_.unlock(); }

private:
    [[nodiscard]] UnitSet::Run find_run(unsigned unit_count, Chunk*& chunk) noexcept;
    [[nodiscard]] static Slab* make_slab(Chunk& chunk, UnitSet::Run run, Slab::Kind kind,
                                         std::size_t large_bytes) noexcept;
    void take_run(Chunk& chunk, UnitSet::Run run) noexcept;
    static void set_slab(Chunk& chunk, UnitSet::Run run, unsigned index) noexcept;
    [[nodiscard]] Chunk* make_chunk() noexcept;
    void add(Chunk& chunk) noexcept;
    void remove(Chunk& chunk) noexcept;
    void release(Chunk& chunk) noexcept;
    void list(Chunk& chunk) noexcept;
    void unlist(Chunk& chunk) noexcept;
    void free_run(Chunk& chunk, UnitSet::Run run, bool dirty) noexcept;
    [[nodiscard]] Chunk* oldest_dirty() noexcept;
    void purge_chunk(Chunk& chunk, std::size_t unit_count) noexcept;
    [[nodiscard]] bool is_free(const Chunk& chunk) const noexcept {
        return chunk.free_count == chunk_unit_count - header_units_;
    }
    [[nodiscard]] static std::int64_t bytes_of(const std::atomic<std::size_t>& units) noexcept {
        return static_cast<std::int64_t>(units.load(std::memory_order_relaxed) * unit_bytes);
    }
    // The option, or a quarter of what is lent out and cached.
    [[nodiscard]] std::int64_t retained_bytes_max() const noexcept {
        const std::int64_t taken_bytes =
            bytes_of(used_count_) - free_slot_bytes.load(std::memory_order_relaxed);
        return std::max(static_cast<std::int64_t>(
                            std::min(options_.retained_bytes_max, std::size_t{INT64_MAX})),
                        taken_bytes / 4);
    }

    Options options_;
    unsigned header_units_;
    platform::Lock lock_;
    Chunk* listed_ = nullptr;  // With free units; the one that got some last comes first.
    Chunk* all_ = nullptr;
    std::size_t chunk_count_ = 0;
    std::size_t free_chunk_count_ = 0;          // Without a slab.
    std::atomic<std::size_t> dirty_count_ = 0;  // Units; written under the lock.
    std::atomic<std::size_t> used_count_ = 0;
    std::size_t given_back_bytes_ = 0;
    ChunkSet chunk_set_;
};

}  // namespace carbide::caching
