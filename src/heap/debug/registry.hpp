// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "platform/stack_point.hpp"

namespace carbide::detail {

class DebugState;

/// The debug allocators that live: to name the owner of a foreign pointer, and to hold all their
/// locks while the process forks, so that the child can go on with them.
class Registry {
public:
    static void add(DebugState& state) noexcept;
    static void remove(DebugState& state) noexcept;

    /// Of another debug allocator that knows this address; null where none does. The name is the
    /// one in its options, which outlives it.
    [[nodiscard]] static const char* name_of_owner(const void* memory,
                                                   const DebugState& asking) noexcept;

    /// In a fault handler: lets the allocator that guards this address report the access.
    static void tell_fault(std::uintptr_t address, bool is_write,
                           const platform::StackPoint& at) noexcept;
};

}  // namespace carbide::detail
