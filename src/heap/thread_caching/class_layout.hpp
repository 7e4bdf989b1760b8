// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "carbide/thread_bins.hpp"

namespace carbide::caching {

using detail::bin_count;
using detail::binned_bytes_max;
using detail::closed_bin_slot;
using detail::is_binned;
using detail::size_class_of;
using detail::slot_bytes_of;
using detail::ThreadBin;
using detail::ThreadBins;

/// Memory is handed out in units, and taken from the backing in chunks.
inline constexpr std::size_t unit_bytes_log2 = 14;
inline constexpr std::size_t unit_bytes = std::size_t{1} << unit_bytes_log2;
inline constexpr std::size_t chunk_bytes = std::size_t{4} << 20;
inline constexpr unsigned chunk_unit_count = chunk_bytes / unit_bytes;

/// Above this an allocation has a mapping of its own.
inline constexpr std::size_t large_bytes_max = std::size_t{1} << 20;

inline constexpr unsigned slab_slots_max = 1024;

/// How the slabs and bins of a size class look.
struct ClassLayout {
    std::uint32_t slot_bytes;
    std::uint32_t slot_count;       // In a slab.
    std::uint64_t reciprocal;       // Of slot_bytes / 16, in units of 2^-32.
    std::uint16_t unit_count;       // Of a slab.
    std::uint16_t bin_entries_max;  // A thread keeps no more.
    std::uint32_t bin_begin;        // Index of the lowest entry among all entries of a thread.
};

namespace layout {

/// Of a slab: 1,024 slots, but at most 64 KiB, and at least eight slots; then the next number of
/// units that wastes least.
constexpr unsigned unit_count_of(std::size_t slot_bytes) noexcept {
    const std::size_t least =
        std::max(std::clamp<std::size_t>(slot_bytes * slab_slots_max / unit_bytes, 1, 4),
                 (8 * slot_bytes + unit_bytes - 1) / unit_bytes);
    const auto waste_of = [slot_bytes](std::size_t units) {
        return static_cast<double>(units * unit_bytes % slot_bytes) /
               static_cast<double>(units * unit_bytes);
    };
    std::size_t best = least;
    for (std::size_t units = least; units < least + 8; ++units) {
        if (units * unit_bytes / slot_bytes > slab_slots_max) break;
        if (waste_of(units) + 0.01 < waste_of(best)) best = units;
    }
    return static_cast<unsigned>(best);
}

/// 32 KiB of each size, but at most 1,024 slots, and at least 16; 8 above 8 KiB, 4 above 16 KiB.
constexpr std::size_t bin_entries_of(std::size_t slot_bytes) noexcept {
    const std::size_t least = slot_bytes > (std::size_t{16} << 10)  ? 4
                              : slot_bytes > (std::size_t{8} << 10) ? 8
                                                                    : 16;
    return std::clamp((std::size_t{32} << 10) / slot_bytes, least, std::size_t{1024});
}

constexpr std::array<ClassLayout, bin_count> make_layouts() noexcept {
    std::array<ClassLayout, bin_count> layouts{};
    std::size_t begin = 1;  // Below each bin's entries stands a null.
    for (unsigned i = 0; i < bin_count; ++i) {
        const std::size_t slot_bytes = slot_bytes_of(i);
        const unsigned units = unit_count_of(slot_bytes);
        const std::uint64_t steps = slot_bytes / 16;
        layouts[i] = {
            .slot_bytes = static_cast<std::uint32_t>(slot_bytes),
            .slot_count = static_cast<std::uint32_t>(units * unit_bytes / slot_bytes),
            .reciprocal = ((std::uint64_t{1} << 32) + steps - 1) / steps,
            .unit_count = static_cast<std::uint16_t>(units),
            .bin_entries_max = static_cast<std::uint16_t>(bin_entries_of(slot_bytes)),
            .bin_begin = static_cast<std::uint32_t>(begin),
        };
        begin += bin_entries_of(slot_bytes) + 1;
    }
    return layouts;
}

}  // namespace layout

inline constexpr std::array<ClassLayout, bin_count> class_layouts = layout::make_layouts();

inline constexpr std::size_t thread_entry_count =
    class_layouts.back().bin_begin + class_layouts.back().bin_entries_max;

static_assert(std::ranges::all_of(class_layouts,
                                  [](const ClassLayout& layout) {
                                      const std::size_t slab_bytes = layout.unit_count * unit_bytes;
                                      const std::size_t waste_bytes =
                                          slab_bytes -
                                          std::size_t{layout.slot_count} * layout.slot_bytes;
                                      return layout.slot_count >= 8 &&
                                             layout.slot_count <= slab_slots_max &&
                                             waste_bytes * 20 <= slab_bytes;
                                  }),
              "a slab has 8 to 1,024 slots and wastes at most a twentieth");

}  // namespace carbide::caching
