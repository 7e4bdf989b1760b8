// SPDX-License-Identifier: MIT
#include <algorithm>
#include <utility>

#include "carbide/check.hpp"
#include "carbide/memory_marks.hpp"
#include "carbide/recovery_scope.hpp"
#include "heap/arena_chunk.hpp"

namespace carbide {
namespace {

constexpr std::size_t chunk_granule_bytes = 16;

std::size_t round_down(std::size_t bytes) noexcept { return bytes & ~(chunk_granule_bytes - 1); }

// `percent` of the bytes, or the most that there can be.
std::size_t grow(std::size_t bytes, unsigned percent) noexcept {
    std::size_t product = 0;
    if (__builtin_mul_overflow(bytes, std::size_t{percent}, &product)) return SIZE_MAX;
    return product / 100;
}

}  // namespace

std::size_t ArenaAllocator::Chunk::needed_bytes(std::size_t size_bytes,
                                                std::align_val_t allocation_alignment) noexcept {
    static_assert(sizeof(Chunk) == 32, "the class comment promises 32 bytes");
    const auto alignment_bytes = static_cast<std::size_t>(allocation_alignment);
    const std::size_t padding_bytes_max =
        std::max(alignment_bytes, chunk_granule_bytes) - chunk_granule_bytes;
    std::size_t needed = sizeof(Chunk) + chunk_granule_bytes - 1;
    if (__builtin_add_overflow(needed, padding_bytes_max, &needed)) return 0;
    if (__builtin_add_overflow(needed, size_bytes, &needed)) return 0;
    return round_down(needed);
}

ArenaAllocator::State::State(State&& other) noexcept
    : options_(other.options_),
      newest_(std::exchange(other.newest_, nullptr)),
      spare_(std::exchange(other.spare_, nullptr)),
      capacity_bytes_(std::exchange(other.capacity_bytes_, 0)),
      older_used_bytes_(std::exchange(other.older_used_bytes_, 0)),
      round_peak_bytes_(std::exchange(other.round_peak_bytes_, 0)),
      rounds_(other.rounds_) {}

ArenaAllocator::State::~State() { free_chunks_but(nullptr); }

// The spare chunk, or one from the backing of the size that growth asks for, or else the smallest
// that will do.
ArenaAllocator::Chunk* ArenaAllocator::State::new_chunk(std::size_t needed_bytes) noexcept {
    if (spare_ != nullptr && spare_->size_bytes >= needed_bytes) {
        return std::exchange(spare_, nullptr);
    }
    if (spare_ != nullptr && capacity_left_bytes() < needed_bytes) {
        free_chunk(std::exchange(spare_, nullptr));
    }
    if (capacity_left_bytes() < needed_bytes) return nullptr;

    const std::size_t chunk_bytes = next_chunk_bytes(needed_bytes);
    if (spare_ == nullptr && chunk_bytes == needed_bytes) return allocate_chunk(needed_bytes);
    {
        const RecoveryScope less_will_do;
        if (Chunk* const chunk = allocate_chunk(chunk_bytes)) return chunk;
    }
    // The spare chunk may be what the backing lacks.
    if (spare_ != nullptr) free_chunk(std::exchange(spare_, nullptr));
    return allocate_chunk(needed_bytes);
}

std::size_t ArenaAllocator::State::capacity_left_bytes() const noexcept {
    return round_down(options_.capacity_bytes_max -
                      std::min(options_.capacity_bytes_max, capacity_bytes_));
}

// At least `needed_bytes`, where the capacity has room for them.
std::size_t ArenaAllocator::State::next_chunk_bytes(std::size_t needed_bytes) const noexcept {
    const std::size_t grown_bytes = newest_ == nullptr
                                        ? options_.first_chunk_bytes
                                        : grow(newest_->size_bytes, options_.growth_percent);
    const std::size_t wanted_bytes = round_down(
        std::min(grown_bytes, std::max(options_.chunk_bytes_max, options_.first_chunk_bytes)));
    return std::min(std::max(wanted_bytes, needed_bytes), capacity_left_bytes());
}

ArenaAllocator::Chunk* ArenaAllocator::State::allocate_chunk(std::size_t chunk_bytes) noexcept {
    void* const memory = options_.backing.raw_alloc(chunk_bytes, Chunk::alignment);
    if (memory == nullptr) return nullptr;
    capacity_bytes_ += chunk_bytes;
    return new (memory) Chunk{nullptr, chunk_bytes, {}};
}

// Where the backing can grow the chunk in place: so that `needed_bytes` fit behind the cursor, or
// to what the next chunk would have had.
bool ArenaAllocator::State::extend_chunk(Chunk& chunk, std::uintptr_t cursor,
                                         std::size_t needed_bytes) noexcept {
    const std::size_t used_bytes = cursor - reinterpret_cast<std::uintptr_t>(&chunk);
    std::size_t least_bytes = 0;
    if (__builtin_add_overflow(used_bytes, needed_bytes, &least_bytes)) return false;
    if (__builtin_add_overflow(least_bytes, chunk_granule_bytes - 1, &least_bytes)) return false;
    least_bytes = round_down(least_bytes);
    if (least_bytes - chunk.size_bytes > capacity_left_bytes()) return false;

    const std::size_t more_bytes = next_chunk_bytes(least_bytes - chunk.size_bytes);
    return resize_chunk(chunk, chunk.size_bytes + more_bytes) || resize_chunk(chunk, least_bytes);
}

bool ArenaAllocator::State::resize_chunk(Chunk& chunk, std::size_t chunk_bytes) noexcept {
    if (chunk_bytes < chunk.size_bytes) {
        // The backing may hand the chunk's end to others or to the system.
        auto* const cut_off = reinterpret_cast<std::byte*>(&chunk) + chunk_bytes;
        mark_undefined(cut_off, chunk.size_bytes - chunk_bytes);
    }
    if (!options_.backing.raw_resize(&chunk, chunk.size_bytes, chunk_bytes, Chunk::alignment)) {
        return false;
    }
    capacity_bytes_ += chunk_bytes - chunk.size_bytes;
    chunk.size_bytes = chunk_bytes;
    return true;
}

void ArenaAllocator::State::free_chunk(Chunk* chunk) noexcept {
    const std::size_t size_bytes = chunk->size_bytes;  // Before the chunk counts as undefined.
    capacity_bytes_ -= size_bytes;
    mark_undefined(chunk, size_bytes);
    options_.backing.raw_free(chunk, size_bytes, Chunk::alignment);
}

void ArenaAllocator::State::keep_as_spare(Chunk* chunk) noexcept {
    if (spare_ != nullptr && spare_->size_bytes >= chunk->size_bytes) {
        free_chunk(chunk);
        return;
    }
    if (spare_ != nullptr) free_chunk(spare_);
    mark_no_access(chunk + 1, chunk->size_bytes - sizeof(Chunk));
    spare_ = chunk;
}

void ArenaAllocator::State::free_chunks_but(Chunk* kept) noexcept {
    if (spare_ != nullptr && spare_ != kept) free_chunk(spare_);
    spare_ = nullptr;
    for (Chunk* chunk = newest_; chunk != nullptr;) {
        Chunk* const older = chunk->older;  // Read before the chunk is gone.
        if (chunk != kept) free_chunk(chunk);
        chunk = older;
    }
    newest_ = kept;
    if (kept != nullptr) kept->older = nullptr;
    older_used_bytes_ = 0;
}

// Leaves one chunk of `least_bytes` to `most_bytes`, or none where the backing has no such chunk.
void ArenaAllocator::State::retain_one_chunk(std::size_t least_bytes,
                                             std::size_t most_bytes) noexcept {
    least_bytes = round_down(least_bytes);
    Chunk* kept = spare_;
    for (Chunk* chunk = newest_; chunk != nullptr; chunk = chunk->older) {
        if (kept == nullptr || chunk->size_bytes > kept->size_bytes) kept = chunk;
    }
    const bool keep_any = least_bytes > sizeof(Chunk) && kept != nullptr;
    free_chunks_but(keep_any ? kept : nullptr);
    if (!keep_any) return;
    if (kept->size_bytes >= least_bytes && kept->size_bytes <= most_bytes) return;
    if (resize_chunk(*kept, least_bytes)) return;

    free_chunk(kept);  // First, so that both never count against a budget at once.
    const RecoveryScope none_will_do;
    newest_ = allocate_chunk(least_bytes);
}

}  // namespace carbide
