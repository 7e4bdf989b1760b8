// SPDX-License-Identifier: MIT
#include "heap/thread_caching/caching_state.hpp"

#include <sched.h>
#include <sys/random.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <mutex>

#include "carbide/memory_marks.hpp"
#include "carbide/recovery_scope.hpp"
#include "heap/thread_caching/cache_registry.hpp"
#include "platform/clock.hpp"
#include "platform/pages.hpp"

namespace carbide::caching {
namespace {

constexpr std::align_val_t state_alignment{4096};

std::uint64_t system_random() noexcept {
    std::uint64_t number = 0;
    // Early in the life of a system there may be none: then the addresses have to do.
    if (getrandom(&number, sizeof number, GRND_NONBLOCK) != sizeof number) {
        number = address_of(&number) * 0x9E3779B97F4A7C15U ^ platform::coarse_milliseconds();
    }
    return number;
}

// The same for all allocators of the process. Nobody waits for it, or a child would wait for a
// thread that it does not have.
std::uint64_t process_secret() noexcept {
    static constinit std::atomic<std::uint64_t> secret = 0;
    std::uint64_t known = secret.load(std::memory_order_relaxed);
    if (known != 0) return known;
    const std::uint64_t made = system_random() | 1;
    return secret.compare_exchange_strong(known, made, std::memory_order_relaxed) ? made : known;
}

}  // namespace

CachingState* CachingState::create(const Options& options, unsigned slot) noexcept {
    void* const memory = options.backing.raw_alloc(sizeof(CachingState), state_alignment);
    if (memory == nullptr) return nullptr;
    auto* const state =
        new (memory) CachingState(options, slot, options.hardened ? process_secret() : 0);
    CacheRegistry::add(*state);
    return state;
}

CachingState::CachingState(const Options& options, unsigned slot, std::uint64_t secret) noexcept
    : options_(options),
      slot_(slot),
      marks_(checker_watches()),
      has_bins_(slot != closed_bin_slot && !window_stays_closed()),
      code_(secret),
      random_state_(secret == 0 ? 0 : system_random()),
      pool_({.backing = options.backing,
             .retained_bytes_max = options.retained_bytes_max,
             .decay_ms = options.decay_ms,
             .hardened = options.hardened,
             .huge_pages = options.huge_pages,
             .marks = marks_}),
      huge_(options.backing) {
    void** entries = depot_entries_;
    for (unsigned i = 0; i < bin_count; ++i) {
        depots_[i].init(i, entries, pool_, code_);
        entries += ClassDepot::capacity_of(class_layouts[i]);
    }
}

void CachingState::destroy(CachingState* state) noexcept {
    const Allocator backing = state->options_.backing;
    ThreadCache* cache = nullptr;
    {
        // At once: a fork locks what is registered, and no thread of the child may have bins of
        // what is not.
        const std::lock_guard guard(CacheRegistry::lock());
        CacheRegistry::remove(*state);
        cache = std::exchange(state->caches_, nullptr);
        for (ThreadCache* left = cache; left != nullptr; left = left->next) {
            if (left->home == nullptr) continue;
            __atomic_store_n(left->home, closed_bins(), __ATOMIC_RELAXED);
        }
    }
    while (cache != nullptr) {
        ThreadCache* const next = cache->next;
        backing.raw_free(cache, sizeof *cache, std::align_val_t{alignof(ThreadCache)});
        cache = next;
    }
    while (state->retiring_count_.load(std::memory_order_acquire) != 0) sched_yield();
    state->huge_.deinit();
    state->pool_.deinit();
    backing.raw_free(state, sizeof *state, state_alignment);
}

// --- What a request is ---------------------------------------------------------------------------

CachingState::Request CachingState::classify(std::size_t size_bytes,
                                             std::align_val_t alignment) noexcept {
    const auto alignment_bytes = static_cast<std::size_t>(alignment);
    if (is_binned(size_bytes, alignment)) return {Kind::slot, size_class_of(size_bytes)};
    if (size_bytes <= binned_bytes_max && alignment_bytes <= platform::page_bytes()) {
        // Slots start at multiples of the largest power of two that divides their size.
        const std::size_t least = std::max(size_bytes, alignment_bytes);
        const unsigned size_class = size_class_of(least);
        if (slot_bytes_of(size_class) % alignment_bytes == 0) return {Kind::slot, size_class};
        return {Kind::slot, size_class_of(std::bit_ceil(least))};
    }
    const bool is_large = size_bytes <= large_bytes_max && alignment_bytes <= unit_bytes;
    return {is_large ? Kind::large : Kind::huge, 0};
}

// --- Allocations ---------------------------------------------------------------------------------

void* CachingState::alloc(std::size_t size_bytes, std::align_val_t alignment) noexcept {
    const Request request = classify(size_bytes, alignment);
    const auto attempt = [&] {
        switch (request.kind) {
            case Kind::slot:
                return alloc_slot(request.size_class);
            case Kind::large:
                return alloc_large(size_bytes);
            case Kind::huge:
                return alloc_huge(size_bytes, alignment);
        }
        __builtin_unreachable();
    };
    void* memory = nullptr;
    {
        const RecoveryScope caches_may_have_it;
        memory = attempt();
    }
    if (memory == nullptr) [[unlikely]] {
        if (collect() == 0) return nullptr;
        memory = attempt();
        if (memory == nullptr) return nullptr;
    }
    if (marks_ && request.kind != Kind::huge) [[unlikely]]
        mark_undefined(memory, size_bytes);
    return memory;
}

void CachingState::free(void* memory, std::size_t size_bytes, std::align_val_t alignment) noexcept {
    const Request request = classify(size_bytes, alignment);
    if (options_.hardened) {
        verify(memory, size_bytes, alignment, request);
        if (request.kind == Kind::slot) mark_lent(memory, false);
    }
    if (request.kind != Kind::huge) {
        if constexpr (checked_build) std::memset(memory, undefined_byte, size_bytes);
        if (marks_) [[unlikely]]
            mark_no_access(memory, size_bytes);
    }
    switch (request.kind) {
        case Kind::slot:
            return free_slot(memory, request.size_class);
        case Kind::large:
            return free_large(memory);
        case Kind::huge:
            return free_huge(memory);
    }
}

void CachingState::free_unsized(void* memory) noexcept {
    if (pool_.contains(memory)) {
        const Slab& slab = Chunk::of(memory)->slab_at(address_of(memory));
        if (slab.kind == Slab::Kind::slots) {
            const bool nobody_looks = !checked_build && !marks_ && !options_.hardened;
            if (nobody_looks && detail::push((*home())->bins[slab.size_class], memory)) return;
            const std::size_t slot_bytes = class_layouts[slab.size_class].slot_bytes;
            // Less may have been asked for, and the rest of the slot is closed.
            if (marks_) [[unlikely]]
                mark_undefined(memory, slot_bytes);
            return free(memory, slot_bytes, std::align_val_t{16});
        }
        if (slab.kind == Slab::Kind::large) {
            return free(memory, slab.large_bytes, std::align_val_t{unit_bytes});
        }
        misuse("a pointer was freed that is not lent out", memory);
    }
    const HugeTable::Entry entry = huge_.find(address_of(memory));
    if (entry.address == 0) misuse("a pointer was freed that is not lent out", memory);
    free(memory, entry.size_bytes, entry.alignment);
}

// --- Slots ---------------------------------------------------------------------------------------

ThreadBins** CachingState::home() const noexcept { return &detail::thread_bins[slot_]; }

ThreadCache* CachingState::cache_of_thread() noexcept {
    ThreadBins* const bins = *home();
    if (bins != closed_bins()) [[likely]]
        return static_cast<ThreadCache*>(bins);
    return has_bins_ ? add_cache() : nullptr;
}

ThreadCache* CachingState::add_cache() noexcept {
    if (!CacheRegistry::enroll_thread()) return nullptr;
    void* memory = nullptr;
    {
        const RecoveryScope works_without_bins;
        memory =
            options_.backing.raw_alloc(sizeof(ThreadCache), std::align_val_t{alignof(ThreadCache)});
    }
    if (memory == nullptr) return nullptr;
    auto* const cache = static_cast<ThreadCache*>(memory);  // Its entries stay untouched.
    cache->init(*this, home(), code_);
    const std::lock_guard guard(CacheRegistry::lock());
    cache->previous = nullptr;
    cache->next = caches_;
    if (caches_ != nullptr) caches_->previous = cache;
    caches_ = cache;
    __atomic_store_n(home(), cache, __ATOMIC_RELAXED);
    return cache;
}

void CachingState::leave(ThreadCache& cache) noexcept {
    if (cache.next != nullptr) cache.next->previous = cache.previous;
    (cache.previous != nullptr ? cache.previous->next : caches_) = cache.next;
    retiring_count_.fetch_add(1, std::memory_order_relaxed);
}

void CachingState::retire(ThreadCache& cache) noexcept {
    empty_bins(cache);
    options_.backing.raw_free(&cache, sizeof cache, std::align_val_t{alignof(ThreadCache)});
    retiring_count_.fetch_sub(1, std::memory_order_release);
}

void CachingState::empty_bins(ThreadCache& cache) noexcept {
    for (unsigned i = 0; i < bin_count; ++i) empty_bin(cache, i);
}

void CachingState::empty_bin(ThreadCache& cache, unsigned size_class) noexcept {
    const std::size_t count = cache.count(size_class);
    cache.set_count(size_class, 0);
    if (count != 0) give(size_class, cache.lowest_of(size_class), count);
}

void* CachingState::alloc_slot(unsigned size_class) noexcept {
    void* entry = nullptr;
    if (ThreadCache* const cache = cache_of_thread(); cache != nullptr) {
        if (cache->count(size_class) == 0 && !refill(*cache, size_class)) return nullptr;
        const std::size_t count = cache->count(size_class) - 1;
        entry = cache->lowest_of(size_class)[count];
        cache->set_count(size_class, count);
    } else if (take(size_class, &entry, 1) == 0) {
        return nullptr;
    }
    void* const memory = reinterpret_cast<void*>(code_.decode(entry));
    if (options_.hardened) mark_lent(memory, true);
    return memory;
}

void CachingState::free_slot(void* memory, unsigned size_class) noexcept {
    void* const entry = code_.encode(address_of(memory));
    if (ThreadCache* const cache = cache_of_thread(); cache != nullptr) {
        if (cache->count(size_class) == cache->limit(size_class)) make_room(*cache, size_class);
        const std::size_t count = cache->count(size_class);
        cache->lowest_of(size_class)[count] = entry;
        cache->set_count(size_class, count + 1);
    } else {
        give(size_class, &entry, 1);
    }
}

// A bin grows as often as it was empty or full, up to what `bin_entries_wanted` says: so sizes that
// are rarely used cost little.
bool CachingState::refill(ThreadCache& cache, unsigned size_class) noexcept {
    slow_call(cache);
    const std::size_t wanted = depots_[size_class].bin_entries_wanted();
    const std::size_t limit =
        std::max(cache.limit(size_class), std::min(cache.limit(size_class) * 2, wanted));
    cache.set_limit(size_class, limit);
    const std::size_t count =
        take(size_class, cache.lowest_of(size_class), std::max<std::size_t>(limit / 2, 1));
    cache.set_count(size_class, count);
    return count != 0;
}

// The oldest entries go: what was freed last is likely to be in the processor's cache.
void CachingState::make_room(ThreadCache& cache, unsigned size_class) noexcept {
    slow_call(cache);
    // Then the bin is a great part of what was taken, and keeps slabs from becoming empty.
    if (depots_[size_class].has_shrunk()) {
        empty_bin(cache, size_class);
        trim_class(size_class);
    }
    const std::size_t wanted = depots_[size_class].bin_entries_wanted();
    const std::size_t limit = cache.limit(size_class);
    if (limit < wanted) return cache.set_limit(size_class, std::min(limit * 2, wanted));
    const std::size_t count = cache.count(size_class);
    if (count < wanted) return cache.set_limit(size_class, wanted);
    const std::size_t kept_count = wanted / 2;
    void** const lowest = cache.lowest_of(size_class);
    // First: a child that is forked meanwhile must not find the same slots here and in the depot.
    cache.set_count(size_class, 0);
    give(size_class, lowest, count - kept_count);
    std::copy_n(lowest + (count - kept_count), kept_count, lowest);
    cache.set_count(size_class, kept_count);
    cache.set_limit(size_class, wanted);
}

std::size_t CachingState::take(unsigned size_class, void** target, std::size_t count) noexcept {
    ClassDepot& depot = depots_[size_class];
    for (;;) {
        std::size_t taken_count = 0;
        {
            const std::lock_guard guard(depot.lock);
            taken_count = depot.take(target, count);
        }
        if (taken_count != 0) {
            if (options_.hardened) shuffle(target, taken_count);
            return taken_count;
        }
        if (!add_slab(size_class)) return 0;
    }
}

void CachingState::give(unsigned size_class, void* const* entries, std::size_t count) noexcept {
    Slab* emptied = nullptr;
    {
        ClassDepot& depot = depots_[size_class];
        const std::lock_guard guard(depot.lock);
        depot.give(entries, count, emptied);
    }
    give_slabs(emptied);
}

bool CachingState::add_slab(unsigned size_class) noexcept {
    const ClassLayout& layout = class_layouts[size_class];
    Slab* const slab = pool_.take(Slab::Kind::slots, layout.unit_count);
    if (slab == nullptr) return false;
    std::uintptr_t first_slot = slab->base;
    unsigned slot_count = layout.slot_count;
    if (options_.hardened) {
        //     | random offset | slot | slot | ... | rest | page that nobody may touch |
        const std::size_t page_bytes = platform::page_bytes();
        const std::size_t open_bytes = layout.unit_count * unit_bytes - page_bytes;
        slab->has_guard =
            platform::protect_pages(reinterpret_cast<void*>(slab->base + open_bytes), page_bytes);
        slot_count =
            std::min<unsigned>(slot_count, static_cast<unsigned>(open_bytes / layout.slot_bytes)) -
            1;
        const std::size_t step_bytes = std::min<std::size_t>(
            layout.slot_bytes & (0 - std::size_t{layout.slot_bytes}), page_bytes);
        const std::size_t room_bytes = open_bytes - std::size_t{slot_count} * layout.slot_bytes;
        first_slot += random() % (room_bytes / step_bytes + 1) * step_bytes;
        std::uint64_t* const lent = Chunk::of(slab)->lent_bits(*slab);
        std::fill_n(lent, slab_slots_max / 64, std::uint64_t{0});
    }
    ClassDepot& depot = depots_[size_class];
    const std::lock_guard guard(depot.lock);
    depot.add(*slab, first_slot, slot_count);
    return true;
}

void CachingState::give_slabs(Slab* emptied) noexcept {
    while (emptied != nullptr) {
        Slab& slab = *emptied;
        emptied = slab.next;
        if (slab.has_guard) {
            void* const guard = reinterpret_cast<void*>(Chunk::of(&slab)->guard_page(slab));
            // Where the kernel has no more mappings the slab is lost until the end.
            if (!platform::open_pages(guard, platform::page_bytes())) continue;
        }
        pool_.give(slab);
    }
}

// --- Giving back ---------------------------------------------------------------------------------

std::size_t CachingState::collect() noexcept {
    const std::size_t before_bytes = pool_.given_back_bytes();
    std::size_t purged_bytes = 0;
    adopt_orphans();
    if (ThreadBins* const bins = *home(); bins != closed_bins()) {
        empty_bins(*static_cast<ThreadCache*>(bins));
    }
    for (unsigned i = 0; i < bin_count; ++i) purged_bytes += trim_class(i);
    pool_.purge(0);
    return purged_bytes + pool_.given_back_bytes() - before_bytes;
}

// Everything free of one size, but what is in bins.
std::size_t CachingState::trim_class(unsigned size_class) noexcept {
    Slab* emptied = nullptr;
    std::size_t purged_bytes = 0;
    {
        ClassDepot& depot = depots_[size_class];
        const std::lock_guard guard(depot.lock);
        depot.flush(emptied);
        purged_bytes = depot.purge();
    }
    give_slabs(emptied);
    return purged_bytes;
}

// What is done now and then. A slow call is one of some dozens.
void CachingState::slow_call(ThreadCache& cache) noexcept {
    if (++cache.slow_calls % 32 != 0) return;
    adopt_orphans();
    const std::uint64_t now_ms = platform::coarse_milliseconds();
    std::uint64_t next_ms = next_decay_ms_.load(std::memory_order_relaxed);
    if (now_ms >= next_ms &&
        next_decay_ms_.compare_exchange_strong(next_ms, now_ms + options_.decay_ms / 4 + 1,
                                               std::memory_order_relaxed)) {
        pool_.purge_decayed(now_ms);
    }
}

void CachingState::adopt_orphans() noexcept {
    if (!has_orphans_.load(std::memory_order_relaxed)) [[likely]]
        return;
    if (!has_orphans_.exchange(false, std::memory_order_relaxed)) return;
    ThreadCache* orphans = nullptr;
    {
        const std::lock_guard guard(CacheRegistry::lock());
        for (ThreadCache* cache = caches_; cache != nullptr;) {
            ThreadCache* const next = cache->next;
            if (cache->home == nullptr) {
                leave(*cache);
                cache->next = orphans;
                orphans = cache;
            }
            cache = next;
        }
    }
    while (orphans != nullptr) {
        ThreadCache& cache = *orphans;
        orphans = cache.next;
        retire(cache);
    }
}

// By the only thread there is, which holds all locks. Later ones have caches of their own, and the
// variables of one of them may lie where those of a thread of the parent lay.
void CachingState::expect_orphans() noexcept {
    for (ThreadCache* cache = caches_; cache != nullptr; cache = cache->next) {
        if (cache == *home()) continue;
        cache->home = nullptr;
        has_orphans_.store(true, std::memory_order_relaxed);
    }
    // Nobody would finish what was on the way. It is lost until the end.
    retiring_count_.store(0, std::memory_order_relaxed);
}

void CachingState::lock_all() noexcept {
    for (ClassDepot& depot : depots_) depot.lock.lock();
    pool_.lock();
    huge_.lock();
}

void CachingState::unlock_all() noexcept {
    huge_.unlock();
    pool_.unlock();
    for (ClassDepot& depot : depots_) depot.lock.unlock();
}

}  // namespace carbide::caching
