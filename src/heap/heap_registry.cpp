// SPDX-License-Identifier: MIT
#include "heap/heap_registry.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "platform/owner_lock.hpp"

namespace carbide::detail {
namespace {

constexpr std::size_t slot_count = 8192;  // Half full at most, so that probing is short.

constinit platform::OwnerLock registry_lock;
constinit std::atomic<std::size_t> heap_count = 0;
constinit Heap* slots[slot_count] = {};  // A hash table with linear probing.

// False in a signal handler that interrupted this thread in here.
class Guard {
public:
    Guard() noexcept : holds_(registry_lock.lock()) {}
    ~Guard() {
        if (holds_) registry_lock.unlock();
    }
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;
    explicit operator bool() const noexcept { return holds_; }

private:
    bool holds_;
};

std::size_t home_of(const Heap& heap) noexcept {
    const auto address = reinterpret_cast<std::uintptr_t>(&heap);
    return (address >> 4) * 0x9E3779B97F4A7C15U >> (64 - 13);
}
static_assert(slot_count == std::size_t{1} << 13);

// Of the heap, or of the empty slot where it would be.
std::size_t slot_of(const Heap& heap) noexcept {
    std::size_t slot = home_of(heap);
    while (slots[slot] != nullptr && slots[slot] != &heap) slot = (slot + 1) % slot_count;
    return slot;
}

}  // namespace

void HeapRegistry::add(Heap& heap) noexcept {
    if (heap.vtable->owns == nullptr) return;
    const Guard guard;
    if (!guard || heap_count.load(std::memory_order_relaxed) == slot_count / 2) return;
    const std::size_t slot = slot_of(heap);
    if (slots[slot] == &heap) return;
    slots[slot] = &heap;
    heap_count.fetch_add(1, std::memory_order_relaxed);
}

void HeapRegistry::remove(Heap& heap) noexcept {
    if (heap_count.load(std::memory_order_relaxed) == 0) return;
    const Guard guard;
    std::size_t hole = slot_of(heap);
    if (!guard || slots[hole] == nullptr) return;
    slots[hole] = nullptr;
    heap_count.fetch_sub(1, std::memory_order_relaxed);
    // What was pushed aside by it moves up, or probing would stop at the hole.
    for (std::size_t slot = (hole + 1) % slot_count; slots[slot] != nullptr;
         slot = (slot + 1) % slot_count) {
        const std::size_t home = home_of(*slots[slot]);
        if ((slot - home) % slot_count < (slot - hole) % slot_count) continue;
        slots[hole] = slots[slot];
        slots[slot] = nullptr;
        hole = slot;
    }
}

const char* HeapRegistry::name_of_owner(const void* memory) noexcept {
    const Guard guard;
    if (!guard) return nullptr;
    for (Heap* const heap : slots) {
        if (heap != nullptr && heap->vtable->owns(*heap, memory)) return heap->name;
    }
    return nullptr;
}

}  // namespace carbide::detail
