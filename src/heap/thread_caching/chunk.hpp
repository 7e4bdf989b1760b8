// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

#include "heap/thread_caching/class_layout.hpp"
#include "heap/thread_caching/unit_set.hpp"
#include "platform/pages.hpp"

namespace carbide::caching {

[[nodiscard]] inline std::uintptr_t address_of(const void* memory) noexcept {
    return reinterpret_cast<std::uintptr_t>(memory);
}

/// A run of units: slots of one size, or one large allocation. The slots that are free, and in no
/// bin or depot, have their bit set. What is known of a slab lies in the header of its chunk, apart
/// from the slots, and so pages of free slots can go back to the system.
///
/// Invariant: free_count == the number of bits set <= slot_count.
struct Slab {
    enum class Kind : unsigned char { none, slots, large };

    std::uint64_t free_bits[slab_slots_max / 64];
    std::uintptr_t base;      // Of the first slot.
    std::size_t large_bytes;  // Requested; `large` only.
    Slab* next;               // Slabs of a class that have free slots.
    Slab* previous;
    std::uint16_t first_unit;
    std::uint16_t unit_count;
    std::uint16_t slot_count;
    std::uint16_t free_count;
    std::uint16_t purged_count;  // Free slots when its free pages were given back last.
    std::uint8_t size_class;
    Kind kind;
    bool is_listed;
    bool has_guard;  // Its last page is one that nobody may touch.

    [[nodiscard]] bool is_empty() const noexcept { return free_count == slot_count; }

    /// Free slots whose pages may be resident: all, where some came back since the pages of free
    /// slots were given back.
    [[nodiscard]] std::size_t dirty_count() const noexcept {
        return free_count > purged_count ? free_count : 0;
    }

    /// Of the slot that holds this address, which is not below `base`. Exact: see `ClassLayout`;
    /// the error of the reciprocal is below 2^-32 a step, and there are at most 2^15 steps.
    [[nodiscard]] std::uint32_t index_of(std::uintptr_t address) const noexcept {
        const std::uint64_t steps = (address - base) / 16;
        return static_cast<std::uint32_t>(steps * class_layouts[size_class].reciprocal >> 32);
    }
    [[nodiscard]] std::uintptr_t slot_address(std::uint32_t index) const noexcept {
        return base + std::uintptr_t{index} * class_layouts[size_class].slot_bytes;
    }
    /// Whether the slot that `index_of` found for this address starts there.
    [[nodiscard]] bool is_start_of(std::uint32_t index, std::uintptr_t address) const noexcept {
        return index < slot_count && slot_address(index) == address;
    }
};

/// 4 MiB from the backing, at a multiple of 4 MiB:
///
///     | Chunk | lent bits, if hardened | unit | unit | unit | ...
///
/// A unit is free (of no slab) or in use. A free unit is dirty where it was in use since the
/// system gave its pages.
struct Chunk {
    Chunk* next;  // Chunks with free units.
    Chunk* previous;
    Chunk* next_of_all;
    Chunk* previous_of_all;
    UnitSet free_units;
    UnitSet dirty_units;       // A subset of the free ones.
    std::uint16_t free_count;  // Of units.
    std::uint16_t run_max;     // No run of free units is longer; it may be shorter.
    bool is_listed;
    std::uint64_t last_freed_ms;
    UnitSet free_slabs;                           // Indices of slabs that are not in use.
    std::uint8_t slab_of_unit[chunk_unit_count];  // Its index; 0 for a unit of no slab.
    Slab slabs[chunk_unit_count];  // The first is none. The lowest ones are used first, so that
                                   // the rest of the header need not be resident.

    [[nodiscard]] static Chunk* of(const void* memory) noexcept {
        return reinterpret_cast<Chunk*>(reinterpret_cast<std::uintptr_t>(memory) &
                                        ~(chunk_bytes - 1));
    }
    [[nodiscard]] std::uintptr_t begin() const noexcept {
        return reinterpret_cast<std::uintptr_t>(this);
    }
    [[nodiscard]] unsigned unit_of(std::uintptr_t address) const noexcept {
        return static_cast<unsigned>((address - begin()) >> unit_bytes_log2);
    }
    [[nodiscard]] std::uintptr_t unit_address(unsigned unit) const noexcept {
        return begin() + unit * unit_bytes;
    }
    [[nodiscard]] Slab& slab_at(std::uintptr_t address) noexcept {
        return slabs[slab_of_unit[unit_of(address)]];
    }
    [[nodiscard]] unsigned index_of(const Slab& slab) const noexcept {
        return static_cast<unsigned>(&slab - slabs);
    }

    /// Where hardened: the last page of a slab.
    [[nodiscard]] std::uintptr_t guard_page(const Slab& slab) const noexcept {
        return unit_address(slab.first_unit + slab.unit_count) - platform::page_bytes();
    }

    /// Where hardened: a bit per slot that is lent out, changed by whoever takes or frees it.
    [[nodiscard]] std::uint64_t* lent_bits(const Slab& slab) noexcept {
        auto* const bits = reinterpret_cast<std::uint64_t*>(this + 1);
        return bits + std::size_t{index_of(slab)} * (slab_slots_max / 64);
    }
};

inline constexpr std::size_t lent_bits_bytes = std::size_t{chunk_unit_count} * (slab_slots_max / 8);

/// Units that the header of a chunk takes.
[[nodiscard]] constexpr unsigned header_unit_count(bool hardened) noexcept {
    const std::size_t bytes = sizeof(Chunk) + (hardened ? lent_bits_bytes : 0);
    return static_cast<unsigned>((bytes + unit_bytes - 1) / unit_bytes);
}
static_assert(header_unit_count(false) == 3, "1.2 % of a chunk, of which what is used is resident");

}  // namespace carbide::caching
