// SPDX-License-Identifier: MIT
#include "heap/thread_caching/class_depot.hpp"

#include <algorithm>
#include <bit>

#include "carbide/check.hpp"
#include "platform/pages.hpp"

namespace carbide::caching {

namespace {

// Of a sum over all depots, the part that this one has.
void tell(std::atomic<std::int64_t>& sum_bytes, std::int64_t& told_bytes,
          std::size_t part_bytes) noexcept {
    const auto part = static_cast<std::int64_t>(part_bytes);
    if (part == told_bytes) return;
    sum_bytes.fetch_add(part - told_bytes, std::memory_order_relaxed);
    told_bytes = part;
}

}  // namespace

void ClassDepot::init(unsigned size_class, void** entries, UnitPool& pool,
                      EntryCode code) noexcept {
    pool_ = &pool;
    size_class_ = size_class;
    entries_ = entries;
    code_ = code;
}

// Many slabs with little in them, which are the remains of a greater use.
bool ClassDepot::is_sparse(std::size_t taken_count) const noexcept {
    const std::size_t slot_count = slot_count_.load(std::memory_order_relaxed);
    return taken_count < slot_count / 16 &&
           slot_count > 4 * std::size_t{class_layouts[size_class_].slot_count};
}

bool ClassDepot::is_falling() const noexcept {
    if (!pool_->has_excess()) return false;
    const std::size_t taken_count = taken_count_.load(std::memory_order_relaxed);
    return taken_count <= taken_high_.load(std::memory_order_relaxed) / 4 * 3 ||
           is_sparse(taken_count);
}

std::size_t ClassDepot::bin_entries_wanted() const noexcept {
    const std::size_t most = class_layouts[size_class_].bin_entries_max;
    const bool falls = is_falling();
    const std::size_t least =
        falls ? std::min<std::size_t>((most + 3) / 4, 8) : std::min<std::size_t>(most, 16);
    const std::size_t share = falls ? 32 : 1;
    return std::clamp(taken_count_.load(std::memory_order_relaxed) / share, least, most);
}

void ClassDepot::update_counts() noexcept {
    const std::size_t slot_bytes = class_layouts[size_class_].slot_bytes;
    tell(pool_->free_slot_bytes, told_free_bytes_, free_count_ * slot_bytes);
    tell(pool_->dirty_slot_bytes, told_dirty_bytes_, dirty_count_ * slot_bytes);
    const std::size_t taken_count = slot_count() - free_count_;
    taken_count_.store(taken_count, std::memory_order_relaxed);
    if (taken_count > taken_high_.load(std::memory_order_relaxed)) {
        taken_high_.store(taken_count, std::memory_order_relaxed);
    }
}

bool ClassDepot::has_shrunk() noexcept {
    if (!pool_->has_excess()) return false;
    const std::size_t slot_bytes = class_layouts[size_class_].slot_bytes;
    const std::size_t least_count =
        std::clamp<std::size_t>((std::size_t{64} << 10) / slot_bytes, 1, 16);
    const std::size_t taken_count = taken_count_.load(std::memory_order_relaxed);
    const std::size_t high = taken_high_.load(std::memory_order_relaxed);
    const std::size_t limit = is_sparse(taken_count) ? high / 4 * 3 : high / 2;
    if (high < least_count || taken_count > limit) return false;
    taken_high_.store(taken_count, std::memory_order_relaxed);
    return true;
}

std::size_t ClassDepot::take(void** target, std::size_t count) noexcept {
    const std::size_t from_depot = std::min(count, entry_count_);
    entry_count_ -= from_depot;
    std::copy_n(entries_ + entry_count_, from_depot, target);
    std::size_t done = from_depot;
    while (done < count && partial_ != nullptr) {
        done += take_from(*partial_, target + done, count - done);
    }
    update_counts();
    return done;
}

// Lower addresses are used first, and so come last.
std::size_t ClassDepot::take_from(Slab& slab, void** target, std::size_t count) noexcept {
    count = std::min<std::size_t>(count, slab.free_count);
    if (slab.is_empty()) --empty_count_;
    dirty_count_ -= slab.dirty_count();
    std::size_t left = count;
    for (unsigned i = 0; left != 0; ++i) {
        std::uint64_t bits = slab.free_bits[i];
        while (bits != 0 && left != 0) {
            const unsigned index = i * 64 + static_cast<unsigned>(std::countr_zero(bits));
            bits &= bits - 1;
            target[--left] = code_.encode(slab.slot_address(index));
        }
        slab.free_bits[i] = bits;
    }
    slab.free_count = static_cast<std::uint16_t>(slab.free_count - count);
    slab.purged_count = std::min(slab.purged_count, slab.free_count);
    dirty_count_ += slab.dirty_count();
    free_count_ -= count;
    if (slab.free_count == 0) unlist(slab);
    return count;
}

void ClassDepot::give(void* const* entries, std::size_t count, Slab*& emptied) noexcept {
    // What is in the depot keeps slabs from becoming empty: it shrinks with what is in use, too.
    const std::size_t wanted_max =
        is_falling() ? 0 : std::max(taken_count_.load(std::memory_order_relaxed) / 2, count);
    const std::size_t entry_count_max =
        std::min(capacity_of(class_layouts[size_class_]), wanted_max);
    if (entry_count_ > entry_count_max) {
        put_in_slabs(entries_ + entry_count_max, entry_count_ - entry_count_max, emptied);
        entry_count_ = entry_count_max;
    }
    const std::size_t to_depot = std::min(count, entry_count_max - entry_count_);
    std::copy_n(entries, to_depot, entries_ + entry_count_);
    entry_count_ += to_depot;
    put_in_slabs(entries + to_depot, count - to_depot, emptied);
    update_counts();
}

void ClassDepot::flush(Slab*& emptied) noexcept {
    put_in_slabs(entries_, entry_count_, emptied);
    entry_count_ = 0;
    for (Slab* slab = partial_; slab != nullptr && empty_count_ != 0;) {
        Slab* const next = slab->next;
        if (slab->is_empty()) {
            --empty_count_;
            drop(*slab, emptied);
        }
        slab = next;
    }
    update_counts();
}

void ClassDepot::put_in_slabs(void* const* entries, std::size_t count, Slab*& emptied) noexcept {
    // What is freed together was often allocated together, and lies in one slab.
    Slab* slab = nullptr;
    std::uintptr_t begin = 0;
    std::size_t size_bytes = 0;
    for (std::size_t i = count; i-- > 0;) {
        const std::uintptr_t address = code_.decode(entries[i]);
        if (address - begin >= size_bytes) {
            slab = &slab_of(address);
            begin = slab->base;
            size_bytes = std::size_t{slab->slot_count} * class_layouts[size_class_].slot_bytes;
        }
        put_in_slab(*slab, address);
        if (!slab->is_empty()) continue;
        // One empty slab stays, or a slot that comes and goes would take and give a slab each time.
        if (empty_count_ == 0) {
            ++empty_count_;
        } else {
            drop(*slab, emptied);
        }
        size_bytes = 0;
    }
}

// Every pointer that comes back passes here, sooner or later: what is wrong with it is found.
Slab& ClassDepot::slab_of(std::uintptr_t address) const noexcept {
    CARBIDE_CHECK(pool_->contains(reinterpret_cast<void*>(address)),
                  "memory was freed to a thread caching allocator that did not lend it");
    Slab& slab = Chunk::of(reinterpret_cast<void*>(address))->slab_at(address);
    CARBIDE_CHECK(slab.kind == Slab::Kind::slots && slab.size_class == size_class_,
                  "memory was freed with a size that is not its own");
    return slab;
}

void ClassDepot::put_in_slab(Slab& slab, std::uintptr_t address) noexcept {
    const std::uint32_t index = slab.index_of(address);
    CARBIDE_CHECK(slab.is_start_of(index, address),
                  "a pointer into the middle of an allocation was freed");
    const std::uint64_t bit = std::uint64_t{1} << index % 64;
    CARBIDE_CHECK((slab.free_bits[index / 64] & bit) == 0, "memory was freed twice");
    slab.free_bits[index / 64] |= bit;
    dirty_count_ -= slab.dirty_count();
    ++slab.free_count;
    dirty_count_ += slab.dirty_count();
    ++free_count_;
    if (!slab.is_listed) list(slab);
}

// Its units are the pool's again.
void ClassDepot::drop(Slab& slab, Slab*& emptied) noexcept {
    unlist(slab);
    --slab_count_;
    dirty_count_ -= slab.dirty_count();
    slot_count_.store(slot_count() - slab.slot_count, std::memory_order_relaxed);
    free_count_ -= slab.slot_count;
    slab.next = emptied;
    emptied = &slab;
}

void ClassDepot::add(Slab& slab, std::uintptr_t first_slot, unsigned slot_count) noexcept {
    slab.size_class = static_cast<std::uint8_t>(size_class_);
    slab.base = first_slot;
    slab.slot_count = static_cast<std::uint16_t>(slot_count);
    slab.free_count = slab.slot_count;
    slab.purged_count = slab.slot_count;  // Or as good as that: its pages may be fresh.
    slab.is_listed = false;
    for (unsigned i = 0; i < slab_slots_max / 64; ++i) {
        const unsigned begin = i * 64;
        slab.free_bits[i] = slot_count >= begin + 64 ? ~std::uint64_t{0}
                            : slot_count > begin ? (std::uint64_t{1} << (slot_count - begin)) - 1
                                                 : 0;
    }
    ++slab_count_;
    ++empty_count_;
    slot_count_.store(this->slot_count() + slot_count, std::memory_order_relaxed);
    free_count_ += slot_count;
    list(slab);
    update_counts();
}

void ClassDepot::list(Slab& slab) noexcept {
    slab.previous = nullptr;
    slab.next = partial_;
    if (partial_ != nullptr) partial_->previous = &slab;
    partial_ = &slab;
    slab.is_listed = true;
}

void ClassDepot::unlist(Slab& slab) noexcept {
    if (slab.next != nullptr) slab.next->previous = slab.previous;
    (slab.previous != nullptr ? slab.previous->next : partial_) = slab.next;
    slab.is_listed = false;
}

// Of each slab that has more free slots than at the last time, the pages that hold nothing else.
std::size_t ClassDepot::purge() noexcept {
    const std::size_t page_bytes = platform::page_bytes();
    const std::size_t slot_bytes = class_layouts[size_class_].slot_bytes;
    std::size_t purged_bytes = 0;
    for (Slab* slab = partial_; slab != nullptr; slab = slab->next) {
        if (slab->free_count <= slab->purged_count) continue;
        dirty_count_ -= slab->dirty_count();
        slab->purged_count = slab->free_count;
        std::uint32_t index = 0;
        const auto is_free = [slab](std::uint32_t i) {
            return (slab->free_bits[i / 64] >> i % 64 & 1) != 0;
        };
        while (index < slab->slot_count) {
            if (!is_free(index)) {
                ++index;
                continue;
            }
            const std::uint32_t run_begin = index;
            while (index < slab->slot_count && is_free(index)) ++index;
            const std::uintptr_t begin =
                (slab->slot_address(run_begin) + page_bytes - 1) & ~(page_bytes - 1);
            const std::uintptr_t end =
                (slab->slot_address(index - 1) + slot_bytes) & ~(page_bytes - 1);
            if (begin >= end) continue;
            platform::purge_pages(reinterpret_cast<void*>(begin), end - begin);
            purged_bytes += end - begin;
        }
    }
    update_counts();
    return purged_bytes;
}

bool ClassDepot::is_valid() const noexcept {
    if (entry_count_ > capacity_of(class_layouts[size_class_])) return false;
    std::size_t free_count = 0;
    std::size_t dirty_count = 0;
    std::size_t empty_count = 0;
    for (const Slab* slab = partial_; slab != nullptr; slab = slab->next) {
        unsigned bit_count = 0;
        for (const std::uint64_t bits : slab->free_bits) {
            bit_count += static_cast<unsigned>(std::popcount(bits));
        }
        if (bit_count != slab->free_count || slab->free_count == 0) return false;
        if (slab->free_count > slab->slot_count || !slab->is_listed) return false;
        if (slab->kind != Slab::Kind::slots || slab->size_class != size_class_) return false;
        if (slab->next != nullptr && slab->next->previous != slab) return false;
        if (slab->purged_count > slab->free_count) return false;
        free_count += slab->free_count;
        dirty_count += slab->dirty_count();
        if (slab->is_empty()) ++empty_count;
    }
    for (std::size_t i = 0; i < entry_count_; ++i) {
        const std::uintptr_t address = code_.decode(entries_[i]);
        const Slab& slab = Chunk::of(reinterpret_cast<void*>(address))->slab_at(address);
        if (slab.kind != Slab::Kind::slots || slab.size_class != size_class_) return false;
        if (slab.slot_address(slab.index_of(address)) != address) return false;
    }
    return free_count == free_count_ && dirty_count == dirty_count_ && empty_count == empty_count_;
}

}  // namespace carbide::caching
