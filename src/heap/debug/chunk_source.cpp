// SPDX-License-Identifier: MIT
#include "heap/debug/chunk_source.hpp"

#include <algorithm>
#include <bit>

#include "carbide/memory_marks.hpp"
#include "carbide/recovery_scope.hpp"

namespace carbide::detail {
namespace {

constexpr std::align_val_t chunk_alignment{unit_bytes};

}  // namespace

ChunkSource::~ChunkSource() { give_back_all(); }

void ChunkSource::give_back_all() noexcept {
    const OwnerScope scope(owner_);
    while (chunks_ != nullptr) release(*chunks_);
    spare_headers_ = nullptr;
    next_unit_count_ = 1;
    metadata_.reset(ArenaAllocator::Retain::nothing);
}

ChunkSource::Units ChunkSource::take_units(unsigned count) noexcept {
    for (Chunk* chunk = chunks_; chunk != nullptr; chunk = chunk->next) {
        const Units units = cut(*chunk, count);
        if (units.base == 0) continue;
        if (chunk != chunks_) {
            unlink(*chunk);
            chunk->next = chunks_;
            chunks_->previous = chunk;
            chunks_ = chunk;
        }
        return units;
    }
    if (!add_chunk(count)) return {};
    return cut(*chunks_, count);
}

ChunkSource::Units ChunkSource::cut(Chunk& chunk, unsigned count) noexcept {
    const std::uint64_t run = Chunk::all_units(count);
    // Runs start at multiples of their length: fewer places to look at, and none is fragmented.
    CARBIDE_ASSERT(count != 0 && chunk.unit_count <= chunk_units_max);
    for (unsigned first = 0; first < chunk_units_max && first + count <= chunk.unit_count;
         first += count) {
        if ((chunk.free_units >> first & run) != run) continue;
        chunk.free_units &= ~(run << first);
        return {chunk.base + first * unit_bytes, &chunk};
    }
    return {};
}

void ChunkSource::give_back_units(Units units, unsigned count) noexcept {
    Chunk& chunk = *units.chunk;
    const auto first = static_cast<unsigned>((units.base - chunk.base) / unit_bytes);
    chunk.free_units |= Chunk::all_units(count) << first;
    // One empty chunk stays, or a block that comes and goes would map and unmap every time.
    const bool is_only = chunks_ == &chunk && chunk.next == nullptr;
    if (!keeps_chunks_ && chunk.is_empty() && !is_only) release(chunk);
}

bool ChunkSource::add_chunk(unsigned unit_count_min) noexcept {
    Chunk* header = spare_headers_;
    if (header != nullptr) {
        spare_headers_ = header->next;
    } else {
        header = make<Chunk>();
        if (header == nullptr) return false;
    }
    unsigned unit_count = std::max(next_unit_count_, unit_count_min);
    void* memory = nullptr;
    if (unit_count > unit_count_min) {
        const RecoveryScope less_will_do;
        memory = map_chunk(unit_count);
    }
    if (memory == nullptr) {
        unit_count = unit_count_min;
        memory = map_chunk(unit_count);
    }
    if (memory == nullptr) {
        header->next = spare_headers_;
        spare_headers_ = header;
        return false;
    }
    next_unit_count_ = std::min(unit_count * 2, chunk_units_max);
    *header = {.base = reinterpret_cast<std::uintptr_t>(memory),
               .unit_count = unit_count,
               .free_units = Chunk::all_units(unit_count),
               .next = chunks_};
    if (chunks_ != nullptr) chunks_->previous = header;
    chunks_ = header;
    return true;
}

void* ChunkSource::map_chunk(unsigned unit_count) noexcept {
    const OwnerScope scope(owner_);
    void* const memory = backing_.raw_alloc(unit_count * unit_bytes, chunk_alignment);
    if (marks_ && memory != nullptr) mark_no_access(memory, unit_count * unit_bytes);
    return memory;
}

void ChunkSource::release(Chunk& chunk) noexcept {
    unlink(chunk);
    const OwnerScope scope(owner_);
    void* const memory = reinterpret_cast<void*>(chunk.base);
    if (marks_) mark_undefined(memory, chunk.unit_count * unit_bytes);
    backing_.raw_free(memory, chunk.unit_count * unit_bytes, chunk_alignment);
    chunk.next = spare_headers_;
    spare_headers_ = &chunk;
}

void ChunkSource::unlink(Chunk& chunk) noexcept {
    if (chunk.next != nullptr) chunk.next->previous = chunk.previous;
    (chunk.previous != nullptr ? chunk.previous->next : chunks_) = chunk.next;
    chunk.next = chunk.previous = nullptr;
}

void* ChunkSource::take_large(std::size_t size_bytes, std::size_t alignment_bytes) noexcept {
    const OwnerScope scope(owner_);
    void* const memory = backing_.raw_alloc(size_bytes, std::align_val_t{alignment_bytes});
    if (marks_ && memory != nullptr) mark_no_access(memory, size_bytes);
    return memory;
}

void ChunkSource::give_back_large(void* memory, std::size_t size_bytes,
                                  std::size_t alignment_bytes) noexcept {
    const OwnerScope scope(owner_);
    if (marks_) mark_undefined(memory, size_bytes);
    backing_.raw_free(memory, size_bytes, std::align_val_t{alignment_bytes});
}

}  // namespace carbide::detail
