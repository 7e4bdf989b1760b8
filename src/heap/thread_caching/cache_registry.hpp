// SPDX-License-Identifier: MIT
#pragma once

#include <optional>

#include "carbide/thread_bins.hpp"
#include "heap/thread_caching/caching_state.hpp"
#include "platform/lock.hpp"

namespace carbide::caching {

/// What thread caching allocators have in common: who has which slot of `thread_bins`, what has to
/// be done when a thread ends, and what around a fork.
class CacheRegistry {
public:
    /// `closed_bin_slot` where all are taken.
    [[nodiscard]] static unsigned take_slot() noexcept;
    static void give_slot(unsigned slot) noexcept;

    /// States that a fork has to find in order.
    static void add(CachingState& state) noexcept;
    /// The caller holds the lock.
    static void remove(CachingState& state) noexcept;

    /// Sees to it that the end of the running thread is noticed. False where it cannot be, or the
    /// thread is ending: then it has no bins.
    [[nodiscard]] static bool enroll_thread() noexcept;

    [[nodiscard]] static platform::Lock& lock() noexcept;
};

/// The bins of those who have none: empty and full at once.
[[nodiscard]] ThreadBins* closed_bins() noexcept;

}  // namespace carbide::caching
