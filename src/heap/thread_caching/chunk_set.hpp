// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "carbide/allocator.hpp"
#include "heap/thread_caching/class_layout.hpp"

namespace carbide::caching {

/// Which addresses are chunks: a bit for each multiple of 4 MiB in the 48 bits of address that user
/// space has, in two levels.
///
/// Any thread may call anything but `deinit`.
class ChunkSet {
public:
    [[nodiscard]] bool contains(const void* memory) const noexcept {
        const std::uintptr_t number = reinterpret_cast<std::uintptr_t>(memory) / chunk_bytes;
        if (number >= number_max) return false;
        const Leaf* const leaf = leaves_[number / leaf_bits].load(std::memory_order_acquire);
        if (leaf == nullptr) return false;
        const std::uint64_t word =
            leaf->words[number % leaf_bits / 64].load(std::memory_order_acquire);
        return (word >> number % 64 & 1) != 0;
    }

    /// False where the backing has no memory for a leaf.
    [[nodiscard]] bool insert(std::uintptr_t chunk, Allocator backing) noexcept {
        const std::uintptr_t number = chunk / chunk_bytes;
        if (number >= number_max) return false;
        std::atomic<Leaf*>& place = leaves_[number / leaf_bits];
        Leaf* leaf = place.load(std::memory_order_acquire);
        if (leaf == nullptr) {
            const Result<Leaf*> made = backing.create<Leaf>();
            if (!made.has_value()) return false;
            if (place.compare_exchange_strong(leaf, *made, std::memory_order_acq_rel)) {
                leaf = *made;
            } else {
                backing.destroy(*made);
            }
        }
        word_of(*leaf, number).fetch_or(std::uint64_t{1} << number % 64, std::memory_order_release);
        return true;
    }

    void erase(std::uintptr_t chunk) noexcept {
        const std::uintptr_t number = chunk / chunk_bytes;
        Leaf& leaf = *leaves_[number / leaf_bits].load(std::memory_order_relaxed);
        word_of(leaf, number)
            .fetch_and(~(std::uint64_t{1} << number % 64), std::memory_order_release);
    }

    void deinit(Allocator backing) noexcept {
        for (std::atomic<Leaf*>& leaf : leaves_) {
            backing.destroy(leaf.exchange(nullptr, std::memory_order_relaxed));
        }
    }

private:
    static constexpr std::uintptr_t number_max = (std::uintptr_t{1} << 48) / chunk_bytes;
    static constexpr std::size_t leaf_bits = std::size_t{1} << 15;  // 128 GiB.

    struct Leaf {
        std::atomic<std::uint64_t> words[leaf_bits / 64] = {};
    };

    static std::atomic<std::uint64_t>& word_of(Leaf& leaf, std::uintptr_t number) noexcept {
        return leaf.words[number % leaf_bits / 64];
    }

    std::atomic<Leaf*> leaves_[number_max / leaf_bits] = {};
};

}  // namespace carbide::caching
