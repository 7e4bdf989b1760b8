// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "platform/eh_frame.hpp"

namespace carbide::platform {

/// DWARF's numbers for x86-64.
inline constexpr std::uint64_t frame_pointer_register = 6;
inline constexpr std::uint64_t stack_pointer_register = 7;
inline constexpr std::uint64_t return_address_register = 16;

/// What an expression computes, as far as a walk can use it:
/// `base + offset`, or the word in memory there.
struct FrameExpression {
    enum class Base : std::uint8_t { none, stack_pointer, frame_pointer };
    Base base = Base::none;
    bool is_loaded = false;
    std::int64_t offset = 0;
};

/// `address` is the value of the program counter. False: something in it is not understood.
[[nodiscard]] bool evaluate_frame_expression(ByteRange expression, std::uintptr_t address,
                                             FrameExpression& result) noexcept;

}  // namespace carbide::platform
