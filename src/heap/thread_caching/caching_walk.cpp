// SPDX-License-Identifier: MIT
// What looks at allocations, or at everything, and changes nothing.
#include <mutex>

#include "heap/thread_caching/cache_registry.hpp"
#include "heap/thread_caching/caching_state.hpp"
#include "platform/pages.hpp"

namespace carbide::caching {

std::size_t CachingState::size_of(const void* memory) noexcept {
    const std::uintptr_t address = address_of(memory);
    if (!pool_.contains(memory)) return huge_.find(address).size_bytes;
    const Slab& slab = Chunk::of(memory)->slab_at(address);
    if (slab.kind == Slab::Kind::none) return 0;
    if (slab.kind == Slab::Kind::large) return slab.base == address ? slab.large_bytes : 0;
    if (address < slab.base) return 0;
    const std::uint32_t index = slab.index_of(address);
    if (!slab.is_start_of(index, address)) return 0;
    return class_layouts[slab.size_class].slot_bytes;
}

bool CachingState::owns(const void* memory) noexcept {
    if (!pool_.contains(memory)) return huge_.find_around(address_of(memory)).address != 0;
    return Chunk::of(memory)->slab_at(address_of(memory)).kind != Slab::Kind::none;
}

HeapStatistics CachingState::statistics() noexcept {
    HeapStatistics sums;
    {
        const std::lock_guard guard(CacheRegistry::lock());
        for (ThreadCache* cache = caches_; cache != nullptr; cache = cache->next) {
            ++sums.thread_count;
            sums.mapped_bytes += platform::round_up_to_pages(sizeof *cache);
            sums.resident_bytes += platform::resident_bytes(cache, sizeof *cache);
            for (unsigned i = 0; i < bin_count; ++i) {
                sums.size_classes[i].binned_count += cache->count(i);
            }
        }
    }
    for (unsigned i = 0; i < bin_count; ++i) {
        HeapStatistics::SizeClass& sum = sums.size_classes[i];
        ClassDepot& depot = depots_[i];
        const std::lock_guard guard(depot.lock);
        sum.slot_bytes = class_layouts[i].slot_bytes;
        sum.slab_count = depot.slab_count();
        sum.depot_count = depot.depot_count();
        sum.free_count = depot.free_count();
        const std::size_t slot_count = depot.slot_count();
        const std::size_t not_lent = sum.free_count + sum.cached_count();
        sum.lent_count = slot_count > not_lent ? slot_count - not_lent : 0;
        sums.lent_bytes += sum.lent_count * sum.slot_bytes;
        sums.cached_bytes += sum.cached_count() * sum.slot_bytes;
        sums.free_bytes += sum.free_count * sum.slot_bytes;
    }
    pool_.visit_chunks([&](Chunk& chunk) {
        ++sums.chunk_count;
        sums.mapped_bytes += chunk_bytes;
        sums.resident_bytes += platform::resident_bytes(&chunk, chunk_bytes);
        sums.free_bytes += chunk.free_count * unit_bytes;
        for (unsigned index = 1; index < chunk_unit_count; ++index) {
            if (chunk.free_slabs.contains(index)) continue;
            const Slab& slab = chunk.slabs[index];
            if (slab.kind != Slab::Kind::large) continue;
            ++sums.large_count;
            sums.large_bytes += slab.large_bytes;
        }
    });
    huge_.visit([&](const HugeTable::Entry& entry) {
        ++sums.huge_count;
        sums.huge_bytes += entry.size_bytes;
        sums.mapped_bytes += platform::round_up_to_pages(entry.size_bytes);
        const std::uintptr_t begin = entry.address & ~(platform::page_bytes() - 1);
        sums.resident_bytes += platform::resident_bytes(reinterpret_cast<void*>(begin),
                                                        entry.address - begin + entry.size_bytes);
    });
    sums.lent_bytes += sums.large_bytes + sums.huge_bytes;
    sums.mapped_bytes += platform::round_up_to_pages(sizeof *this) + huge_.table_bytes();
    sums.resident_bytes += platform::resident_bytes(this, sizeof *this);
    return sums;
}

bool CachingState::is_valid() noexcept {
    for (ClassDepot& depot : depots_) {
        const std::lock_guard guard(depot.lock);
        if (!depot.is_valid()) return false;
    }
    if (ThreadBins* const bins = *home(); bins != closed_bins()) {
        if (!static_cast<ThreadCache*>(bins)->is_valid()) return false;
    }
    return pool_.is_valid();
}

}  // namespace carbide::caching
