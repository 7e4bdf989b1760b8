// SPDX-License-Identifier: MIT
#include "carbide/thread_caching_allocator.hpp"

#include "heap/immortal.hpp"
#include "heap/thread_caching/cache_registry.hpp"
#include "heap/thread_caching/caching_state.hpp"

namespace carbide {

using caching::CachingState;

struct ProcessWideCaching {
    ThreadCachingAllocator allocator{"thread caching", detail::process_wide_bin_slot};
};

namespace {

constinit Immortal<ProcessWideCaching> instance;

}  // namespace

ThreadCachingAllocator::ThreadCachingAllocator(const Options& options) noexcept
    : ThreadCachingAllocator(options.name, caching::CacheRegistry::take_slot()) {
    options_ = options;
    // The inlined path would verify nothing, and tell no checker.
    if (options.hardened) cursor = limit = detail::bins_tag(detail::closed_bin_slot);
}

ThreadCachingAllocator::ThreadCachingAllocator() noexcept : ThreadCachingAllocator(Options{}) {}

ThreadCachingAllocator::~ThreadCachingAllocator() {
    if (state() != nullptr) CachingState::destroy(state());
    caching::CacheRegistry::give_slot(slot_);
}

CachingState* ThreadCachingAllocator::ready_state() noexcept {
    CachingState* current = state();
    if (current != nullptr) [[likely]]
        return current;
    CachingState* const made =
        CachingState::create(options_.has_value() ? *options_ : Options{}, slot_);
    if (made == nullptr) return state();
    if (state_.compare_exchange_strong(current, made, std::memory_order_acq_rel)) return made;
    CachingState::destroy(made);  // Another thread was first.
    return current;
}

void* ThreadCachingAllocator::miss_alloc(Heap& heap, std::size_t size_bytes,
                                         std::align_val_t alignment) noexcept {
    CachingState* const state = self(heap).ready_state();
    return state == nullptr ? nullptr : state->alloc(size_bytes, alignment);
}

void ThreadCachingAllocator::miss_free(Heap& heap, void* memory, std::size_t size_bytes,
                                       std::align_val_t alignment) noexcept {
    CachingState* const state = self(heap).state();
    CARBIDE_CHECK(state != nullptr, "memory was freed to an allocator that never lent any");
    state->free(memory, size_bytes, alignment);
}

bool ThreadCachingAllocator::slow_resize(Heap& heap, void* memory, std::size_t old_bytes,
                                         std::size_t new_bytes,
                                         std::align_val_t alignment) noexcept {
    CachingState* const state = self(heap).state();
    return state != nullptr && state->resize(memory, old_bytes, new_bytes, alignment);
}

void* ThreadCachingAllocator::slow_remap(Heap& heap, void* memory, std::size_t old_bytes,
                                         std::size_t new_bytes,
                                         std::align_val_t alignment) noexcept {
    CachingState* const state = self(heap).state();
    return state == nullptr ? nullptr : state->remap(memory, old_bytes, new_bytes, alignment);
}

std::size_t ThreadCachingAllocator::size_of(const void* memory) const noexcept {
    return state() == nullptr ? 0 : state()->size_of(memory);
}

bool ThreadCachingAllocator::owns(const void* memory) const noexcept {
    return state() != nullptr && state()->owns(memory);
}

void ThreadCachingAllocator::free_unsized(void* memory) noexcept {
    CARBIDE_CHECK(state() != nullptr, "memory was freed to an allocator that never lent any");
    state()->free_unsized(memory);
}

std::size_t ThreadCachingAllocator::collect() noexcept {
    return state() == nullptr ? 0 : state()->collect();
}

HeapStatistics ThreadCachingAllocator::statistics() const noexcept {
    return state() == nullptr ? HeapStatistics{} : state()->statistics();
}

bool ThreadCachingAllocator::is_valid() const noexcept {
    return state() == nullptr || state()->is_valid();
}

ThreadCachingAllocator& thread_caching_allocator() noexcept { return instance.object.allocator; }

}  // namespace carbide
