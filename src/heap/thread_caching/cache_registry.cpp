// SPDX-License-Identifier: MIT
#include "heap/thread_caching/cache_registry.hpp"

#include <pthread.h>

#include <mutex>

#include "platform/pages.hpp"

namespace carbide::caching {
namespace {

struct ClosedBins : ThreadBins {
    void* entries[2] = {};
    constexpr ClosedBins() noexcept : ThreadBins() {
        for (ThreadBin& bin : bins) bin = {entries + 1, entries + 1};
    }
};

constinit ClosedBins closed;

}  // namespace
}  // namespace carbide::caching

namespace carbide::detail {

constinit thread_local ThreadBins* thread_bins[bin_slot_count] = {
    &caching::closed, &caching::closed, &caching::closed, &caching::closed,
    &caching::closed, &caching::closed, &caching::closed, &caching::closed,
    &caching::closed, &caching::closed, &caching::closed, &caching::closed,
    &caching::closed, &caching::closed, &caching::closed, &caching::closed,
};

}  // namespace carbide::detail

namespace carbide::caching {
namespace {

using detail::thread_bins;

constinit platform::Lock registry_lock;
constinit CachingState* newest = nullptr;
constinit unsigned taken_slots = 1;  // A bit each. The first is the process-wide instance's.

// A thread that has been here once has no bins any more: what it still frees goes to the depots.
constinit thread_local bool thread_is_ending = false;

void end_thread(void*) noexcept {
    thread_is_ending = true;
    for (unsigned slot = 0; slot < closed_bin_slot; ++slot) {
        ThreadCache* cache = nullptr;
        {
            // The allocator may be destroyed at the same time, which takes its bins away.
            const std::lock_guard guard(registry_lock);
            ThreadBins* const bins = __atomic_load_n(&thread_bins[slot], __ATOMIC_RELAXED);
            if (bins == &closed) continue;
            cache = static_cast<ThreadCache*>(bins);
            thread_bins[slot] = &closed;
            cache->state->leave(*cache);
        }
        cache->state->retire(*cache);
    }
}

void before_fork() noexcept {
    registry_lock.lock();
    for (CachingState* state = newest; state != nullptr; state = state->registry_next) {
        state->lock_all();
    }
}

void after_fork_in_parent() noexcept {
    for (CachingState* state = newest; state != nullptr; state = state->registry_next) {
        state->unlock_all();
    }
    registry_lock.unlock();
}

void after_fork_in_child() noexcept {
    for (CachingState* state = newest; state != nullptr; state = state->registry_next) {
        state->expect_orphans();
    }
    after_fork_in_parent();
}

constinit pthread_key_t thread_end = 0;
constinit bool notices_thread_end = false;

// When the library is loaded, not at the first use: where another thread forks meanwhile, a static
// variable of a function stays half made in the child, and whoever needs it waits for ever.
[[gnu::constructor(101)]] void prepare() noexcept {
    pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
    notices_thread_end = pthread_key_create(&thread_end, end_thread) == 0;
    static_cast<void>(platform::page_bytes());
}

}  // namespace

ThreadBins* closed_bins() noexcept { return &closed; }

platform::Lock& CacheRegistry::lock() noexcept { return registry_lock; }

unsigned CacheRegistry::take_slot() noexcept {
    const std::lock_guard guard(registry_lock);
    for (unsigned slot = 0; slot < closed_bin_slot; ++slot) {
        if ((taken_slots >> slot & 1) != 0) continue;
        taken_slots |= 1U << slot;
        return slot;
    }
    return closed_bin_slot;
}

void CacheRegistry::give_slot(unsigned slot) noexcept {
    if (slot == closed_bin_slot) return;
    const std::lock_guard guard(registry_lock);
    taken_slots &= ~(1U << slot);
}

void CacheRegistry::add(CachingState& state) noexcept {
    const std::lock_guard guard(registry_lock);
    state.registry_next = newest;
    if (newest != nullptr) newest->registry_previous = &state;
    newest = &state;
}

void CacheRegistry::remove(CachingState& state) noexcept {
    if (state.registry_next != nullptr) {
        state.registry_next->registry_previous = state.registry_previous;
    }
    (state.registry_previous != nullptr ? state.registry_previous->registry_next : newest) =
        state.registry_next;
}

bool CacheRegistry::enroll_thread() noexcept {
    if (thread_is_ending) return false;
    // Any value that is not null makes the destructor of the key run.
    return notices_thread_end && pthread_setspecific(thread_end, &closed) == 0;
}

}  // namespace carbide::caching
