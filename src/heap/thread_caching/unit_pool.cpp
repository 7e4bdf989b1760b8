// SPDX-License-Identifier: MIT
#include "heap/thread_caching/unit_pool.hpp"

#include <algorithm>
#include <mutex>

#include "carbide/memory_marks.hpp"
#include "platform/clock.hpp"
#include "platform/pages.hpp"

namespace carbide::caching {
namespace {

constexpr std::align_val_t chunk_alignment{chunk_bytes};

void* pointer(std::uintptr_t address) noexcept { return reinterpret_cast<void*>(address); }

template <class Visit>
void for_each_run(const UnitSet& set, Visit visit) noexcept {
    for (UnitSet::Run run = set.next_run(0); run.count != 0;
         run = set.next_run(run.begin + run.count)) {
        visit(run);
    }
}

}  // namespace

UnitPool::UnitPool(const Options& options) noexcept
    : options_(options), header_units_(header_unit_count(options.hardened)) {}

Slab* UnitPool::take(Slab::Kind kind, unsigned unit_count, std::size_t large_bytes) noexcept {
    {
        const std::lock_guard guard(lock_);
        Chunk* chunk = nullptr;
        UnitSet::Run run = find_run(unit_count, chunk);
        if (run.count != 0) {
            run.count = unit_count;
            take_run(*chunk, run);
            return make_slab(*chunk, run, kind, large_bytes);
        }
    }
    Chunk* const chunk = make_chunk();
    if (chunk == nullptr) return nullptr;
    const std::lock_guard guard(lock_);
    add(*chunk);
    const UnitSet::Run run{header_units_, unit_count};
    take_run(*chunk, run);
    return make_slab(*chunk, run, kind, large_bytes);
}

// Pages that are still there before those that the system would have to find. Where a chunk has no
// run that is long enough that is remembered, so that it is not looked at before units are freed.
UnitSet::Run UnitPool::find_run(unsigned unit_count, Chunk*& chunk) noexcept {
    for (chunk = dirty_count_ >= unit_count ? listed_ : nullptr; chunk != nullptr;
         chunk = chunk->next) {
        if (chunk->run_max < unit_count) continue;
        const UnitSet::Run run = chunk->dirty_units.find_run(unit_count);
        if (run.count >= unit_count) return run;
    }
    for (chunk = listed_; chunk != nullptr; chunk = chunk->next) {
        if (chunk->run_max < unit_count) continue;
        const UnitSet::Run run = chunk->free_units.find_run(unit_count);
        if (run.count >= unit_count) return run;
        chunk->run_max = static_cast<std::uint16_t>(run.count);
    }
    return {};
}

// Under the lock, because statistics look at all slabs.
Slab* UnitPool::make_slab(Chunk& chunk, UnitSet::Run run, Slab::Kind kind,
                          std::size_t large_bytes) noexcept {
    const unsigned index = chunk.free_slabs.next_run(0).begin;
    chunk.free_slabs.erase({index, 1});
    set_slab(chunk, run, index);
    Slab& slab = chunk.slabs[index];
    slab.kind = kind;
    slab.large_bytes = large_bytes;
    slab.first_unit = static_cast<std::uint16_t>(run.begin);
    slab.unit_count = static_cast<std::uint16_t>(run.count);
    slab.base = chunk.unit_address(run.begin);
    slab.slot_count = 0;
    slab.has_guard = false;
    return &slab;
}

void UnitPool::take_run(Chunk& chunk, UnitSet::Run run) noexcept {
    if (is_free(chunk)) --free_chunk_count_;
    UnitSet taken;
    taken.insert(run);
    dirty_count_ -= (chunk.dirty_units & taken).count();
    chunk.free_units.erase(run);
    chunk.dirty_units.erase(run);
    chunk.free_count = static_cast<std::uint16_t>(chunk.free_count - run.count);
    if (chunk.free_count == 0) unlist(chunk);
    used_count_ += run.count;
}

void UnitPool::set_slab(Chunk& chunk, UnitSet::Run run, unsigned index) noexcept {
    std::fill_n(chunk.slab_of_unit + run.begin, run.count, static_cast<std::uint8_t>(index));
}

void UnitPool::give(Slab& slab) noexcept {
    Chunk& chunk = *Chunk::of(&slab);
    bool gives_back = false;
    std::size_t keep_bytes = 0;
    {
        const std::lock_guard guard(lock_);
        const UnitSet::Run run{slab.first_unit, slab.unit_count};
        slab.kind = Slab::Kind::none;
        set_slab(chunk, run, 0);
        chunk.free_slabs.insert({chunk.index_of(slab), 1});
        used_count_ -= run.count;
        chunk.last_freed_ms = platform::coarse_milliseconds();
        free_run(chunk, run, true);
        const std::size_t in_free_chunks = free_chunk_count_ * (chunk_unit_count - header_units_);
        gives_back = this->has_excess() ||
                     in_free_chunks > dirty_count_ + (1 + chunk_count_ / 8) * chunk_unit_count;
        keep_bytes = static_cast<std::size_t>(retained_bytes_max()) / 8 * 7;
    }
    if (gives_back) purge(std::max<std::size_t>(keep_bytes, 1));
}

bool UnitPool::resize(Slab& slab, unsigned unit_count, std::size_t large_bytes) noexcept {
    Chunk& chunk = *Chunk::of(&slab);
    const std::lock_guard guard(lock_);
    const unsigned begin = slab.first_unit;
    const unsigned old_count = slab.unit_count;
    if (unit_count > old_count) {
        const UnitSet::Run run{begin + old_count, unit_count - old_count};
        if (run.begin + run.count > chunk_unit_count) return false;
        const UnitSet::Run behind = chunk.free_units.next_run(run.begin);
        if (behind.begin != run.begin || behind.count < run.count) return false;
        take_run(chunk, run);
        set_slab(chunk, run, chunk.index_of(slab));
    } else if (unit_count < old_count) {
        const UnitSet::Run run{begin + unit_count, old_count - unit_count};
        used_count_ -= run.count;
        set_slab(chunk, run, 0);
        free_run(chunk, run, true);
    }
    slab.unit_count = static_cast<std::uint16_t>(unit_count);
    slab.large_bytes = large_bytes;
    return true;
}

void UnitPool::free_run(Chunk& chunk, UnitSet::Run run, bool dirty) noexcept {
    chunk.free_units.insert(run);
    if (dirty) {
        chunk.dirty_units.insert(run);
        dirty_count_ += run.count;
    }
    chunk.free_count = static_cast<std::uint16_t>(chunk.free_count + run.count);
    chunk.run_max = chunk_unit_count;
    if (!chunk.is_listed) list(chunk);
    if (is_free(chunk)) ++free_chunk_count_;
}

void UnitPool::purge(std::size_t dirty_bytes_max) noexcept {
    lock_.lock();
    while (dirty_count_ * unit_bytes > dirty_bytes_max) {
        Chunk* const chunk = oldest_dirty();
        if (chunk == nullptr) break;
        const std::size_t excess_bytes = dirty_count_ * unit_bytes - dirty_bytes_max;
        purge_chunk(*chunk, (excess_bytes + unit_bytes - 1) / unit_bytes);
    }
    // One free chunk stays, or a slab that comes and goes would map and unmap every time.
    const std::size_t kept_count = dirty_bytes_max == 0 ? 0 : 1;
    for (Chunk* chunk = listed_; chunk != nullptr && free_chunk_count_ > kept_count;) {
        Chunk* const next = chunk->next;
        if (is_free(*chunk) && chunk->dirty_units == UnitSet{}) {
            given_back_bytes_ += header_units_ * unit_bytes;
            remove(*chunk);
            lock_.unlock();
            release(*chunk);
            lock_.lock();
            chunk = listed_;  // The list may have changed.
        } else {
            chunk = next;
        }
    }
    lock_.unlock();
}

void UnitPool::purge_decayed(std::uint64_t now_ms) noexcept {
    const std::lock_guard guard(lock_);
    for (Chunk* chunk = oldest_dirty();
         chunk != nullptr && now_ms - chunk->last_freed_ms >= options_.decay_ms;
         chunk = oldest_dirty()) {
        purge_chunk(*chunk, chunk_unit_count);
    }
}

std::size_t UnitPool::given_back_bytes() noexcept {
    const std::lock_guard guard(lock_);
    return given_back_bytes_;
}

Chunk* UnitPool::oldest_dirty() noexcept {
    Chunk* oldest = nullptr;
    for (Chunk* chunk = listed_; chunk != nullptr; chunk = chunk->next) {
        if (chunk->dirty_units == UnitSet{}) continue;
        if (oldest == nullptr || chunk->last_freed_ms <= oldest->last_freed_ms) oldest = chunk;
    }
    return oldest;
}

// Gives back the pages of `unit_count` dirty units of a chunk, or of all. They are nobody's
// meanwhile, so that the kernel can be called without the lock.
void UnitPool::purge_chunk(Chunk& chunk, std::size_t unit_count) noexcept {
    UnitSet purged;
    std::size_t purged_count = 0;
    for (UnitSet::Run run = chunk.dirty_units.next_run(0);
         run.count != 0 && purged_count < unit_count;
         run = chunk.dirty_units.next_run(run.begin + run.count)) {
        purged.insert(run);
        purged_count += run.count;
    }
    if (is_free(chunk)) --free_chunk_count_;
    for_each_run(purged, [&](UnitSet::Run run) {
        chunk.free_units.erase(run);
        chunk.dirty_units.erase(run);
    });
    dirty_count_ -= purged_count;
    chunk.free_count = static_cast<std::uint16_t>(chunk.free_count - purged_count);
    if (chunk.free_count == 0) unlist(chunk);
    used_count_ += purged_count;

    lock_.unlock();
    for_each_run(purged, [&](UnitSet::Run run) {
        platform::purge_pages(pointer(chunk.unit_address(run.begin)), run.count * unit_bytes);
    });
    lock_.lock();

    used_count_ -= purged_count;
    for_each_run(purged, [&](UnitSet::Run run) { free_run(chunk, run, false); });
    given_back_bytes_ += purged_count * unit_bytes;
}

Chunk* UnitPool::make_chunk() noexcept {
    void* const memory = options_.backing.raw_alloc(chunk_bytes, chunk_alignment);
    if (memory == nullptr) return nullptr;
    const auto begin = reinterpret_cast<std::uintptr_t>(memory);
    // Checked builds have filled it, and so made it resident.
    if constexpr (checked_build) platform::purge_pages(memory, chunk_bytes);
    if (options_.huge_pages) platform::want_huge_pages(memory, chunk_bytes);
    const std::size_t header_bytes = header_units_ * unit_bytes;
    auto* const chunk = static_cast<Chunk*>(memory);
    // The descriptions of slabs stay untouched until there are slabs.
    new (&chunk->free_units) UnitSet();
    new (&chunk->dirty_units) UnitSet();
    chunk->free_units.insert({header_units_, chunk_unit_count - header_units_});
    chunk->free_count = static_cast<std::uint16_t>(chunk_unit_count - header_units_);
    chunk->run_max = chunk_unit_count;
    chunk->is_listed = false;
    chunk->last_freed_ms = 0;
    new (&chunk->free_slabs) UnitSet();
    chunk->free_slabs.insert({1, chunk_unit_count - 1});
    set_slab(*chunk, {0, chunk_unit_count}, 0);
    chunk->slabs[0].kind = Slab::Kind::none;
    // Last: whoever asks about any address finds a header in what is a chunk.
    if (!chunk_set_.insert(begin, options_.backing)) {
        options_.backing.raw_free(memory, chunk_bytes, chunk_alignment);
        return nullptr;
    }
    if (options_.marks) {
        mark_no_access(pointer(begin + header_bytes), chunk_bytes - header_bytes);
    }
    return chunk;
}

void UnitPool::add(Chunk& chunk) noexcept {
    chunk.previous_of_all = nullptr;
    chunk.next_of_all = all_;
    if (all_ != nullptr) all_->previous_of_all = &chunk;
    all_ = &chunk;
    ++chunk_count_;
    ++free_chunk_count_;
    list(chunk);
}

void UnitPool::remove(Chunk& chunk) noexcept {
    if (chunk.is_listed) unlist(chunk);
    if (chunk.next_of_all != nullptr) chunk.next_of_all->previous_of_all = chunk.previous_of_all;
    (chunk.previous_of_all != nullptr ? chunk.previous_of_all->next_of_all : all_) =
        chunk.next_of_all;
    --chunk_count_;
    --free_chunk_count_;
    dirty_count_ -= chunk.dirty_units.count();
    chunk_set_.erase(chunk.begin());
}

void UnitPool::release(Chunk& chunk) noexcept {
    if (options_.marks) mark_undefined(&chunk, chunk_bytes);
    options_.backing.raw_free(&chunk, chunk_bytes, chunk_alignment);
}

void UnitPool::list(Chunk& chunk) noexcept {
    chunk.previous = nullptr;
    chunk.next = listed_;
    if (listed_ != nullptr) listed_->previous = &chunk;
    listed_ = &chunk;
    chunk.is_listed = true;
}

void UnitPool::unlist(Chunk& chunk) noexcept {
    if (chunk.next != nullptr) chunk.next->previous = chunk.previous;
    (chunk.previous != nullptr ? chunk.previous->next : listed_) = chunk.next;
    chunk.is_listed = false;
}

void UnitPool::deinit() noexcept {
    while (all_ != nullptr) {
        Chunk& chunk = *all_;
        all_ = chunk.next_of_all;
        // The slabs that are still there end with a page that nobody may touch.
        if (options_.hardened) static_cast<void>(platform::open_pages(&chunk, chunk_bytes));
        release(chunk);
    }
    chunk_set_.deinit(options_.backing);
}

bool UnitPool::is_valid() noexcept {
    const std::lock_guard guard(lock_);
    std::size_t chunk_count = 0;
    std::size_t free_chunk_count = 0;
    std::size_t dirty_count = 0;
    for (Chunk* chunk = all_; chunk != nullptr; chunk = chunk->next_of_all) {
        ++chunk_count;
        if (!contains(chunk)) return false;
        if (chunk->free_units.count() != chunk->free_count) return false;
        if (chunk->is_listed != (chunk->free_count != 0)) return false;
        if (!((chunk->free_units & chunk->dirty_units) == chunk->dirty_units)) return false;
        if (is_free(*chunk)) ++free_chunk_count;
        dirty_count += chunk->dirty_units.count();
    }
    return chunk_count == chunk_count_ && free_chunk_count == free_chunk_count_ &&
           dirty_count == dirty_count_;
}

}  // namespace carbide::caching
