// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>

#include "carbide/thread_bins.hpp"

namespace carbide {

/// What a `ThreadCachingAllocator` holds, and where it is.
struct HeapStatistics {
    /// Slots of one size.
    struct SizeClass {
        std::size_t slot_bytes = 0;
        std::size_t lent_count = 0;    // With their users.
        std::size_t binned_count = 0;  // Free, in the bins of threads.
        std::size_t depot_count = 0;   // Free, on the way from one thread to another.
        std::size_t free_count = 0;    // Free, in slabs.
        std::size_t slab_count = 0;

        [[nodiscard]] std::size_t cached_count() const noexcept {
            return binned_count + depot_count;
        }
    };

    std::array<SizeClass, detail::bin_count> size_classes{};

    std::size_t large_count = 0;  // Lent out: 32 KiB to 1 MiB.
    std::size_t large_bytes = 0;
    std::size_t huge_count = 0;  // Lent out, with mappings of their own.
    std::size_t huge_bytes = 0;

    std::size_t lent_bytes = 0;      // In whole slots: more than was asked for.
    std::size_t cached_bytes = 0;    // In bins and depots.
    std::size_t free_bytes = 0;      // In slabs, and in units of no slab.
    std::size_t mapped_bytes = 0;    // From the backing, bookkeeping included.
    std::size_t resident_bytes = 0;  // Of those, in memory, as the kernel says.
    std::size_t chunk_count = 0;
    std::size_t thread_count = 0;  // With bins.

    enum class Format : unsigned char { text, json };

    /// A table of the size classes in use, and the totals; or one line of JSON with all that stands
    /// here, under the same names. Uses pages of its own and allocates nothing. Where there are
    /// none, the text says so at its end, and `size_classes` is null.
    void write_to(int file_descriptor, Format format = Format::text) const noexcept;
};

}  // namespace carbide
