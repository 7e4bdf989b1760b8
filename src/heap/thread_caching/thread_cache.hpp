// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

#include "carbide/thread_bins.hpp"
#include "heap/thread_caching/class_depot.hpp"

namespace carbide::caching {

class CachingState;

/// The bins of one thread for one allocator, with their entries. Only its thread changes it, and
/// whoever knows that there is no such thread any more.
///
/// Another thread (or a child after fork) may find a bin between two stores of its thread. So an
/// entry is stored before the `top` that covers it, and `top` is lowered before an entry goes
/// elsewhere: what is in between is lost to the child, and never free twice.
struct ThreadCache : ThreadBins {
    CachingState* state;
    ThreadBins** home;  // In `thread_bins` of its thread; null where a fork left that behind.
    ThreadCache* next;  // All of one allocator.
    ThreadCache* previous;
    unsigned slow_calls;
    void* entries[thread_entry_count];

    void init(CachingState& owner, ThreadBins** place, EntryCode code) noexcept {
        state = &owner;
        home = place;
        slow_calls = 0;
        for (unsigned i = 0; i < bin_count; ++i) {
            void** const lowest = lowest_of(i);
            lowest[-1] = code.encode(0);
            bins[i] = {lowest, lowest + 1};
        }
    }

    [[nodiscard]] void** lowest_of(unsigned size_class) noexcept {
        return entries + class_layouts[size_class].bin_begin;
    }
    [[nodiscard]] std::size_t count(unsigned size_class) const noexcept {
        void** const top = __atomic_load_n(&bins[size_class].top, __ATOMIC_RELAXED);
        return static_cast<std::size_t>(top - (entries + class_layouts[size_class].bin_begin));
    }
    /// Entries that the bin may hold now.
    [[nodiscard]] std::size_t limit(unsigned size_class) noexcept {
        return static_cast<std::size_t>(bins[size_class].end - lowest_of(size_class));
    }
    void set_count(unsigned size_class, std::size_t entry_count) noexcept {
        __atomic_store_n(&bins[size_class].top, lowest_of(size_class) + entry_count,
                         __ATOMIC_RELEASE);
    }
    void set_limit(unsigned size_class, std::size_t entry_count) noexcept {
        bins[size_class].end = lowest_of(size_class) + entry_count;
    }

    [[nodiscard]] bool is_valid() noexcept {
        for (unsigned i = 0; i < bin_count; ++i) {
            const std::size_t most = class_layouts[i].bin_entries_max;
            if (count(i) > limit(i) || limit(i) > most) return false;
        }
        return true;
    }
};

}  // namespace carbide::caching
