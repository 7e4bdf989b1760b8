// SPDX-License-Identifier: MIT
#include "carbide/slot_pool.hpp"

#include <algorithm>

#include "carbide/check.hpp"

namespace carbide {

// A chunk, low addresses first:
//
//   | Chunk | padding | slot | slot | slot that was never lent | ... |
//                     ^ first_slot()
//
// The slots before `threaded_count` are lent out or on the free list. Chunks are linked from the
// oldest to the newest, and those behind `fresh_` have never lent a slot.
struct alignas(16) SlotPool::Chunk {
    Chunk* next;
    std::size_t size_bytes;
    std::size_t slot_count;
    std::size_t threaded_count;
};

namespace {

constexpr std::size_t chunk_bytes_max = std::size_t{256} << 10;
constexpr std::size_t slots_threaded_at_once = 64;

std::size_t round_up(std::size_t bytes, std::align_val_t alignment) noexcept {
    const std::size_t mask = static_cast<std::size_t>(alignment) - 1;
    return (bytes + mask) & ~mask;
}

}  // namespace

SlotPool::SlotPool(const Options& options) noexcept
    : closed_(window_stays_closed()),
      growable_(options.growable),
      next_chunk_slots_(std::max<std::size_t>(options.first_chunk_slots, 1)),
      alignment_(std::max(options.alignment, std::align_val_t{alignof(FreeSlot)})),
      backing_(options.backing) {
    slot_bytes_ = round_up(std::max(options.slot_bytes, sizeof(FreeSlot)), alignment_);
}

SlotPool::~SlotPool() { free_chunks(); }

Result<void> SlotPool::preheat(std::size_t slot_count) noexcept {
    const std::size_t free_count = capacity_count_ - live_count_;
    if (slot_count > free_count && !add_chunk(slot_count - free_count)) {
        return std::unexpected(OutOfMemory{});
    }
    return {};
}

void SlotPool::free_chunks() noexcept {
    for (Chunk* chunk = oldest_; chunk != nullptr;) {
        Chunk* const next = chunk->next;  // Both read before the chunk counts as undefined.
        const std::size_t size_bytes = chunk->size_bytes;
        mark_undefined(chunk, size_bytes);
        backing_.raw_free(chunk, size_bytes,
                          std::max(alignment_, std::align_val_t{alignof(Chunk)}));
        chunk = next;
    }
    oldest_ = newest_ = fresh_ = nullptr;
    free_ = hidden_free_ = nullptr;
    live_count_ = capacity_count_ = capacity_bytes_ = 0;
}

void SlotPool::forget_slots() noexcept {
    for (Chunk* chunk = oldest_; chunk != nullptr; chunk = chunk->next) {
        mark_no_access(first_slot(*chunk), chunk->slot_count * slot_bytes_);
        chunk->threaded_count = 0;
    }
    fresh_ = oldest_;
    free_ = hidden_free_ = nullptr;
    live_count_ = 0;
}

bool SlotPool::owns(const void* memory) const noexcept {
    const auto address = reinterpret_cast<std::uintptr_t>(memory);
    for (Chunk* chunk = oldest_; chunk != nullptr; chunk = chunk->next) {
        const auto first = reinterpret_cast<std::uintptr_t>(first_slot(*chunk));
        if (address < first || address - first >= chunk->slot_count * slot_bytes_) continue;
        return (address - first) % slot_bytes_ == 0;
    }
    return false;
}

bool SlotPool::is_valid() const noexcept {
    std::size_t never_lent_count = 0;
    std::size_t slot_count = 0;
    bool behind_fresh = false;
    for (const Chunk* chunk = oldest_; chunk != nullptr; chunk = chunk->next) {
        if (chunk->threaded_count > chunk->slot_count) return false;
        if (behind_fresh && chunk->threaded_count != 0) return false;
        behind_fresh = behind_fresh || chunk == fresh_;
        never_lent_count += chunk->slot_count - chunk->threaded_count;
        slot_count += chunk->slot_count;
    }
    std::size_t listed_count = 0;
    for (FreeSlot* slot = closed_ ? hidden_free_ : free_; slot != nullptr; slot = next_of(slot)) {
        if (!owns(slot)) return false;
        if (++listed_count > slot_count) return false;  // A cycle: some slot was given back twice.
    }
    return slot_count == capacity_count_ &&
           live_count_ + listed_count + never_lent_count == slot_count;
}

void* SlotPool::take_slow() noexcept {
    FreeSlot*& list = closed_ ? hidden_free_ : free_;
    if (list == nullptr && !thread_fresh_slots()) {
        if (!growable_ || !add_chunk(next_chunk_slots_) || !thread_fresh_slots()) return nullptr;
    }
    FreeSlot* const slot = list;
    list = next_of(slot);
    mark_undefined(slot, slot_bytes_);
    ++live_count_;
    return slot;
}

void SlotPool::give_slow(void* memory) noexcept {
    mark_undefined(memory, sizeof(FreeSlot));
    hidden_free_ = new (memory) FreeSlot{hidden_free_};
    --live_count_;
    mark_no_access(memory, slot_bytes_);
}

// Puts some slots that were never lent on the free list, lowest address first.
bool SlotPool::thread_fresh_slots() noexcept {
    while (fresh_ != nullptr && fresh_->threaded_count == fresh_->slot_count) fresh_ = fresh_->next;
    if (fresh_ == nullptr) {
        fresh_ = newest_;
        return false;
    }
    const std::size_t count =
        std::min(slots_threaded_at_once, fresh_->slot_count - fresh_->threaded_count);
    std::byte* const begin = first_slot(*fresh_) + fresh_->threaded_count * slot_bytes_;
    FreeSlot*& list = closed_ ? hidden_free_ : free_;
    for (std::size_t index = count; index-- > 0;) {
        std::byte* const memory = begin + index * slot_bytes_;
        mark_undefined(memory, sizeof(FreeSlot));
        list = new (memory) FreeSlot{list};
        mark_no_access(memory, sizeof(FreeSlot));
    }
    fresh_->threaded_count += count;
    return true;
}

bool SlotPool::add_chunk(std::size_t slot_count) noexcept {
    const auto chunk_alignment = std::max(alignment_, std::align_val_t{alignof(Chunk)});
    std::size_t size_bytes = 0;
    if (__builtin_mul_overflow(slot_count, slot_bytes_, &size_bytes)) return false;
    const std::size_t header_bytes = round_up(sizeof(Chunk), alignment_);
    if (__builtin_add_overflow(size_bytes, header_bytes, &size_bytes)) return false;

    void* const memory = backing_.raw_alloc(size_bytes, chunk_alignment);
    if (memory == nullptr) return false;
    auto* const chunk = new (memory) Chunk{nullptr, size_bytes, slot_count, 0};
    mark_no_access(first_slot(*chunk), slot_count * slot_bytes_);
    (newest_ == nullptr ? oldest_ : newest_->next) = chunk;
    newest_ = chunk;
    if (fresh_ == nullptr) fresh_ = chunk;
    capacity_count_ += slot_count;
    capacity_bytes_ += size_bytes;
    const std::size_t slots_max = std::max<std::size_t>(chunk_bytes_max / slot_bytes_, 1);
    next_chunk_slots_ = std::min(std::max(next_chunk_slots_, 2 * slot_count), slots_max);
    return true;
}

std::byte* SlotPool::first_slot(Chunk& chunk) const noexcept {
    return reinterpret_cast<std::byte*>(&chunk) + round_up(sizeof(Chunk), alignment_);
}

// Reads the link of a slot that nobody may touch.
SlotPool::FreeSlot* SlotPool::next_of(FreeSlot* slot) noexcept {
    mark_defined(slot, sizeof(FreeSlot));
    FreeSlot* const next = slot->next;
    mark_no_access(slot, sizeof(FreeSlot));
    return next;
}

bool SlotPool::holds(const void* memory) const noexcept {
    const auto address = reinterpret_cast<std::uintptr_t>(memory);
    for (const Chunk* chunk = oldest_; chunk != nullptr; chunk = chunk->next) {
        if (address - reinterpret_cast<std::uintptr_t>(chunk) < chunk->size_bytes) return true;
    }
    return false;
}

}  // namespace carbide
