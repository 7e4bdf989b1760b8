// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "carbide/stack_trace.hpp"
#include "platform/stack_bounds.hpp"
#include "platform/stack_memo.hpp"
#include "platform/stack_point.hpp"

namespace carbide::platform {

/// The return addresses of a stack, innermost first, and what they hash to.
struct WalkedStack {
    std::uintptr_t return_addresses[StackTrace::frame_count_max];
    unsigned frame_count = 0;
    std::uint32_t hash = 0;

    /// What the result depends on is in the entry's slots. False: there were too many, or none of
    /// it can be known to be the same another time.
    bool can_be_remembered = false;
    bool uses_frame_pointer = false;  // That of the beginning.
    unsigned slot_count = 0;
};

/// From `from` outwards, as far as there are rules and readable words, at most `frame_count_max`
/// frames, which is at most `StackTrace::frame_count_max`. `entry` gets the slots; it may be null.
///
/// Code without rules is passed by its frame pointer. That of an interrupted function is its
/// address plus one.
void walk_stack(const StackPoint& from, unsigned frame_count_max, OwnStack& own, MemoEntry* entry,
                WalkedStack& stack) noexcept;

/// A word that a walk has read; sanitizers have no say in who reads the stack.
[[nodiscard, gnu::no_sanitize_address, gnu::no_sanitize_thread]] inline std::uintptr_t read_word(
    std::uintptr_t address) noexcept {
    return *reinterpret_cast<const std::uintptr_t*>(address);
}

}  // namespace carbide::platform
