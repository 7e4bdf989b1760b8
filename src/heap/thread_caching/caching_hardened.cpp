// SPDX-License-Identifier: MIT
// What the hardened option verifies, and where its randomness comes from.
#include <unistd.h>

#include <utility>

#include "heap/thread_caching/caching_state.hpp"
#include "platform/message.hpp"
#include "platform/stack.hpp"

namespace carbide::caching {

void CachingState::verify(const void* memory, std::size_t size_bytes, std::align_val_t alignment,
                          const Request& request) noexcept {
    const std::uintptr_t address = address_of(memory);
    if (request.kind == Kind::huge) {
        const HugeTable::Entry entry = huge_.find(address);
        if (entry.address == 0) misuse("memory was freed that is not lent out", memory);
        if (entry.size_bytes != size_bytes) misuse("memory was freed with a wrong size", memory);
        if (entry.alignment != alignment) misuse("memory was freed with a wrong alignment", memory);
        return;
    }
    if (!pool_.contains(memory)) misuse("memory was freed that is not lent out", memory);
    Chunk& chunk = *Chunk::of(memory);
    Slab& slab = chunk.slab_at(address);
    if (slab.kind == Slab::Kind::none) misuse("memory was freed twice", memory);
    const bool is_slot = slab.kind == Slab::Kind::slots;
    if (is_slot != (request.kind == Kind::slot) ||
        (is_slot && slab.size_class != request.size_class)) {
        misuse("memory was freed with a wrong size", memory);
    }
    if (!is_slot) {
        if (slab.base != address) misuse("a pointer into the middle was freed", memory);
        if (slab.large_bytes != size_bytes) misuse("memory was freed with a wrong size", memory);
        return;
    }
    const std::uint32_t index = slab.index_of(address);
    if (!slab.is_start_of(index, address)) {
        misuse("a pointer into the middle was freed", memory);
    }
    const std::uint64_t word =
        __atomic_load_n(chunk.lent_bits(slab) + index / 64, __ATOMIC_RELAXED);
    if ((word >> index % 64 & 1) == 0) misuse("memory was freed twice", memory);
}

// Atomically, so that of two threads that free the same memory one is told.
void CachingState::mark_lent(void* memory, bool lent) noexcept {
    Chunk& chunk = *Chunk::of(memory);
    const Slab& slab = chunk.slab_at(address_of(memory));
    const std::uint32_t index = slab.index_of(address_of(memory));
    std::uint64_t* const word = chunk.lent_bits(slab) + index / 64;
    const std::uint64_t bit = std::uint64_t{1} << index % 64;
    if (lent) {
        if ((__atomic_fetch_or(word, bit, __ATOMIC_RELAXED) & bit) != 0) {
            misuse("the bookkeeping is damaged", memory);
        }
    } else if ((__atomic_fetch_and(word, ~bit, __ATOMIC_RELAXED) & bit) == 0) {
        misuse("memory was freed twice", memory);
    }
}

void CachingState::misuse(const char* what, const void* memory) const noexcept {
    platform::Message()
        .text("carbide: allocator '")
        .text(options_.name)
        .text("': ")
        .text(what)
        .text(": ")
        .hexadecimal(address_of(memory))
        .write_to(STDERR_FILENO);
    platform::write_stack_trace(STDERR_FILENO);
    __builtin_trap();
}

void CachingState::shuffle(void** entries, std::size_t count) noexcept {
    for (std::size_t i = count; i > 1; --i) std::swap(entries[i - 1], entries[random() % i]);
}

// Source: G. Steele, D. Lea, C. Flood: SplitMix, 2014.
std::uint64_t CachingState::random() noexcept {
    constexpr std::uint64_t step = 0x9E3779B97F4A7C15U;
    std::uint64_t z = random_state_.fetch_add(step, std::memory_order_relaxed) + step;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31);
}

}  // namespace carbide::caching
