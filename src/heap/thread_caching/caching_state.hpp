// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>

#include "carbide/thread_caching_allocator.hpp"
#include "heap/thread_caching/class_depot.hpp"
#include "heap/thread_caching/huge_table.hpp"
#include "heap/thread_caching/thread_cache.hpp"
#include "heap/thread_caching/unit_pool.hpp"

namespace carbide::caching {

/// What stands behind a ThreadCachingAllocator.
///
///     thread ──▶ ThreadCache ──▶ ThreadBin                        no lock
///                                 │ a batch when it is empty or full
///                                 ▼
///                ClassDepot: entries, slabs with free slots    a lock per size class
///                                 │ a slab when there is none, or one is empty
///                                 ▼
///                UnitPool: units of chunks                     a lock
///                                 │
///                                 ▼
///                backing, madvise                              no lock
///
/// Locks, in this order: `CacheRegistry`, depots by class, pool, huge table. None is held while the
/// backing is called.
class CachingState {
public:
    using Options = ThreadCachingAllocator::Options;

    /// Null where the backing has no memory for it. `slot` is where its threads have their bins.
    [[nodiscard]] static CachingState* create(const Options& options, unsigned slot) noexcept;
    /// Gives everything back. Its caches are no threads' any more.
    static void destroy(CachingState* state) noexcept;

    [[nodiscard]] void* alloc(std::size_t size_bytes, std::align_val_t alignment) noexcept;
    void free(void* memory, std::size_t size_bytes, std::align_val_t alignment) noexcept;
    void free_unsized(void* memory) noexcept;
    [[nodiscard]] bool resize(void* memory, std::size_t old_bytes, std::size_t new_bytes,
                              std::align_val_t alignment) noexcept;
    [[nodiscard]] void* remap(void* memory, std::size_t old_bytes, std::size_t new_bytes,
                              std::align_val_t alignment) noexcept;

    [[nodiscard]] std::size_t size_of(const void* memory) noexcept;
    [[nodiscard]] bool owns(const void* memory) noexcept;
    std::size_t collect() noexcept;
    [[nodiscard]] HeapStatistics statistics() noexcept;
    [[nodiscard]] bool is_valid() noexcept;

    /// At the end of a thread. `leave` takes the cache off the list, under the registry's lock;
    /// `retire` gives back what is in it, without; `destroy` waits for those that are on the way.
    void leave(ThreadCache& cache) noexcept;
    void retire(ThreadCache& cache) noexcept;

    /// For fork. In the child, the caches of threads that it does not have are given back by the
    /// next slow call.
    void lock_all() noexcept;
    void unlock_all() noexcept;
    void expect_orphans() noexcept;

    CachingState* registry_next = nullptr;
    CachingState* registry_previous = nullptr;

private:
    CachingState(const Options& options, unsigned slot, std::uint64_t secret) noexcept;

    // What a request is, by its size and alignment alone; the same for alloc and free.
    enum class Kind : unsigned char { slot, large, huge };
    struct Request {
        Kind kind;
        unsigned size_class;
    };
    [[nodiscard]] static Request classify(std::size_t size_bytes,
                                          std::align_val_t alignment) noexcept;

    [[nodiscard]] ThreadCache* cache_of_thread() noexcept;
    [[nodiscard]] ThreadCache* add_cache() noexcept;
    [[nodiscard]] void* alloc_slot(unsigned size_class) noexcept;
    void free_slot(void* memory, unsigned size_class) noexcept;
    [[nodiscard]] bool refill(ThreadCache& cache, unsigned size_class) noexcept;
    void make_room(ThreadCache& cache, unsigned size_class) noexcept;
    std::size_t take(unsigned size_class, void** target, std::size_t count) noexcept;
    void give(unsigned size_class, void* const* entries, std::size_t count) noexcept;
    void empty_bins(ThreadCache& cache) noexcept;
    void empty_bin(ThreadCache& cache, unsigned size_class) noexcept;
    [[nodiscard]] bool add_slab(unsigned size_class) noexcept;
    void give_slabs(Slab* emptied) noexcept;
    std::size_t trim_class(unsigned size_class) noexcept;
    void slow_call(ThreadCache& cache) noexcept;
    void adopt_orphans() noexcept;

    [[nodiscard]] void* alloc_large(std::size_t size_bytes) noexcept;
    void free_large(void* memory) noexcept;
    [[nodiscard]] void* alloc_huge(std::size_t size_bytes, std::align_val_t alignment) noexcept;
    void free_huge(void* memory) noexcept;

    // Hardened: what is claimed of an allocation that is freed or resized.
    void verify(const void* memory, std::size_t size_bytes, std::align_val_t alignment,
                const Request& request) noexcept;
    void mark_lent(void* memory, bool lent) noexcept;
    [[noreturn]] void misuse(const char* what, const void* memory) const noexcept;

    [[nodiscard]] ThreadBins** home() const noexcept;
    void shuffle(void** entries, std::size_t count) noexcept;
    [[nodiscard]] std::uint64_t random() noexcept;

    static constexpr std::size_t depot_entry_count = [] {
        std::size_t sum = 0;
        for (const ClassLayout& layout : class_layouts) sum += ClassDepot::capacity_of(layout);
        return sum;
    }();

    Options options_;
    unsigned slot_;
    bool marks_;  // A checker watches, and is to be told.
    bool has_bins_;
    EntryCode code_;
    std::atomic<std::uint64_t> random_state_;

    UnitPool pool_;
    HugeTable huge_;
    ThreadCache* caches_ = nullptr;  // Under the registry's lock.
    std::atomic<unsigned> retiring_count_ = 0;
    std::atomic<bool> has_orphans_ = false;
    std::atomic<std::uint64_t> next_decay_ms_ = 0;
    ClassDepot depots_[bin_count];
    void* depot_entries_[depot_entry_count];
};

}  // namespace carbide::caching
