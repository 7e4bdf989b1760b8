// SPDX-License-Identifier: MIT
#include "carbide/arena_allocator.hpp"

#include <algorithm>
#include <utility>

#include "carbide/check.hpp"
#include "heap/arena_chunk.hpp"

namespace carbide {

ArenaAllocator::ArenaAllocator(const Options& options) noexcept
    : HeapOperations(options.name), window_(*this), state_(options) {
    CARBIDE_CHECK(options.growth_percent >= 100, "an arena's growth_percent is below 100");
}

ArenaAllocator::ArenaAllocator(State&& state) noexcept
    : HeapOperations(state.options_.name), window_(*this), state_(std::move(state)) {
    if (const Chunk* const chunk = state_.newest_) {
        window_.reopen(chunk->left_at, chunk->limit());
    }
}

ArenaAllocator::~ArenaAllocator() {
    CARBIDE_CHECK(newest_mark_ == nullptr, "an arena was destroyed before its mark");
}

void ArenaAllocator::reset(Retain retain) noexcept {
    end_round();
    switch (retain) {
        case Retain::nothing:
            state_.retain_one_chunk(0, 0);
            break;
        case Retain::capacity:
            state_.retain_one_chunk(state_.capacity_bytes_, state_.capacity_bytes_);
            break;
        case Retain::recent_rounds: {
            // Rounded up to whole chunks: 8 bytes too few would cost a chunk in every round.
            const std::size_t enough_bytes = Chunk::needed_bytes(
                state_.rounds_.percentile_bytes(state_.options_.retain_percent), Chunk::alignment);
            // A chunk of up to twice the need is kept, so that needs that vary a little do not
            // make every round call the backing.
            state_.retain_one_chunk(enough_bytes, 2 * enough_bytes);
            break;
        }
    }
    begin_round();
}

void ArenaAllocator::reset_retaining(std::size_t bytes_max) noexcept {
    end_round();
    const std::size_t kept_bytes = std::min(state_.capacity_bytes_, bytes_max);
    state_.retain_one_chunk(kept_bytes, kept_bytes);
    begin_round();
}

ArenaAllocator::State ArenaAllocator::detach() noexcept {
    CARBIDE_CHECK(newest_mark_ == nullptr, "an arena was detached before its mark ended");
    if (state_.newest_ != nullptr) state_.newest_->left_at = window_.position();
    State detached(std::move(state_));
    begin_round();
    return detached;
}

std::size_t ArenaAllocator::used_bytes() const noexcept {
    if (state_.newest_ == nullptr) return 0;
    return state_.older_used_bytes_ + (window_.cursor() - state_.newest_->begin());
}

std::size_t ArenaAllocator::capacity_bytes() const noexcept { return state_.capacity_bytes_; }

bool ArenaAllocator::is_valid() const noexcept {
    const Chunk* const newest = state_.newest_;
    std::size_t capacity_bytes = state_.spare_ == nullptr ? 0 : state_.spare_->size_bytes;
    std::size_t older_used_bytes = 0;
    for (const Chunk* chunk = newest; chunk != nullptr; chunk = chunk->older) {
        const std::uintptr_t end = chunk == newest ? window_.cursor() : chunk->left_at.cursor;
        if (end < chunk->begin() || end > chunk->limit()) return false;
        if (chunk != newest) older_used_bytes += end - chunk->begin();
        capacity_bytes += chunk->size_bytes;
    }
    if (newest != nullptr && window_.limit() != newest->limit()) return false;
    if (newest == nullptr && window_.limit() != 0) return false;
    return capacity_bytes == state_.capacity_bytes_ && older_used_bytes == state_.older_used_bytes_;
}

void* ArenaAllocator::slow_alloc(Heap& heap, std::size_t size_bytes,
                                 std::align_val_t alignment) noexcept {
    ArenaAllocator& arena = self(heap);
    if (void* const memory = arena.window_.alloc(size_bytes, alignment)) return memory;
    return arena.alloc_behind_growth(size_bytes, alignment);
}

// Kept out of the above, which over-aligned requests take often.
void* ArenaAllocator::alloc_behind_growth(std::size_t size_bytes,
                                          std::align_val_t alignment) noexcept {
    const std::size_t needed_bytes = Chunk::needed_bytes(size_bytes, alignment);
    if (needed_bytes == 0) return nullptr;
    // A cursor may be half as aligned as the beginning of a chunk: one granule more of padding.
    if (!extend_newest(needed_bytes - sizeof(Chunk) + window_granule_bytes)) {
        if (!add_chunk(needed_bytes)) return nullptr;
    }
    void* const memory = window_.alloc(size_bytes, alignment);
    CARBIDE_ASSERT(memory != nullptr);
    return memory;
}

bool ArenaAllocator::slow_resize(Heap& heap, void* memory, std::size_t old_bytes,
                                 std::size_t new_bytes, std::align_val_t) noexcept {
    ArenaAllocator& arena = self(heap);
    const auto address = reinterpret_cast<std::uintptr_t>(memory);
    if (arena.crosses_mark(address, new_bytes)) return false;
    if (arena.window_.resize(memory, old_bytes, new_bytes)) return true;
    // The newest allocation may still grow, where its chunk can.
    if (address + window_bytes(old_bytes) != arena.window_.cursor()) return false;
    return arena.extend_newest(new_bytes - old_bytes) &&
           arena.window_.resize(memory, old_bytes, new_bytes);
}

void* ArenaAllocator::slow_remap(Heap& heap, void* memory, std::size_t old_bytes,
                                 std::size_t new_bytes, std::align_val_t alignment) noexcept {
    return remap_in_place(heap, memory, old_bytes, new_bytes, alignment);
}

void ArenaAllocator::slow_free(Heap& heap, void* memory, std::size_t size_bytes,
                               std::align_val_t) noexcept {
    self(heap).window_.free(memory, size_bytes);
}

// On success `needed_bytes` more fit behind the cursor. Costs nothing where the backing cannot.
bool ArenaAllocator::extend_newest(std::size_t needed_bytes) noexcept {
    Chunk* const chunk = state_.newest_;
    if (chunk == nullptr) return false;
    if (!state_.extend_chunk(*chunk, window_.cursor(), needed_bytes)) return false;
    window_.reopen(window_.position(), chunk->limit());
    return true;
}

bool ArenaAllocator::add_chunk(std::size_t needed_bytes) noexcept {
    Chunk* const chunk = state_.new_chunk(needed_bytes);
    if (chunk == nullptr) return false;
    if (Chunk* const older = state_.newest_) {
        older->left_at = window_.position();
        state_.older_used_bytes_ += older->left_at.cursor - older->begin();
    }
    chunk->older = state_.newest_;
    state_.newest_ = chunk;
    window_.open(chunk->begin(), chunk->limit());
    return true;
}

// Whether an allocation from before the newest mark would reach into what rewinding to it frees.
bool ArenaAllocator::crosses_mark(std::uintptr_t address, std::size_t new_bytes) const noexcept {
    if (newest_mark_ == nullptr || newest_mark_->chunk_ != state_.newest_) return false;
    const std::uintptr_t marked = newest_mark_->position_.cursor;
    return address < marked && new_bytes > marked - address;
}

void ArenaAllocator::note_peak() noexcept {
    state_.round_peak_bytes_ = std::max(state_.round_peak_bytes_, used_bytes());
}

void ArenaAllocator::end_round() noexcept {
    CARBIDE_CHECK(newest_mark_ == nullptr, "an arena was reset before its mark ended");
    note_peak();
    state_.rounds_.record(state_.round_peak_bytes_);
    state_.round_peak_bytes_ = 0;
    detach_from_thread();  // Whoever uses it next owns it.
}

void ArenaAllocator::begin_round() noexcept {
    if (const Chunk* const chunk = state_.newest_) {
        window_.open(chunk->begin(), chunk->limit());
    } else {
        window_.open(0, 0);
    }
    CARBIDE_ASSERT(state_.older_used_bytes_ == 0);
}

ArenaAllocator::Mark::Mark(ArenaAllocator& arena) noexcept
    : arena_(arena),
      older_(arena.newest_mark_),
      chunk_(arena.state_.newest_),
      position_(arena.window_.position()),
      older_used_bytes_(arena.state_.older_used_bytes_) {
    arena.newest_mark_ = this;
}

ArenaAllocator::Mark::~Mark() {
    CARBIDE_CHECK(arena_.newest_mark_ == this, "an arena mark ended before a newer one");
    arena_.newest_mark_ = older_;
}

void ArenaAllocator::Mark::rewind() noexcept {
    CARBIDE_CHECK(arena_.newest_mark_ == this,
                  "an arena was rewound to a mark while a newer one was alive");
    arena_.note_peak();
    State& state = arena_.state_;
    while (state.newest_ != chunk_) {
        Chunk* const newer = state.newest_;
        state.newest_ = newer->older;
        state.keep_as_spare(newer);
    }
    state.older_used_bytes_ = older_used_bytes_;
    if (chunk_ == nullptr) {
        arena_.window_.open(0, 0);
    } else {
        arena_.window_.reopen(position_, chunk_->limit());
    }
}

bool ArenaAllocator::slow_owns(Heap& heap, const void* memory) noexcept {
    const auto address = reinterpret_cast<std::uintptr_t>(memory);
    for (const Chunk* chunk = self(heap).state_.newest_; chunk != nullptr; chunk = chunk->older) {
        if (address - reinterpret_cast<std::uintptr_t>(chunk) < chunk->size_bytes) return true;
    }
    return false;
}

}  // namespace carbide
