// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "platform/eh_frame.hpp"

namespace carbide::platform {

/// Where a caller's register was saved.
struct SavedRegister {
    enum class Place : std::uint8_t {
        unchanged,
        at_offset,      // From the canonical frame address.
        at_expression,  // `expression` computes its address.
        undefined,      // For the return address: nobody called.
        elsewhere,      // In another register, or computed.
    };
    Place place = Place::unchanged;
    std::int64_t offset = 0;
    ByteRange expression = {};
};

/// A row of the table that a call-frame program describes, with the columns that a walk needs.
struct CallFrame {
    std::uint64_t cfa_register = 0;
    std::int64_t cfa_offset = 0;
    ByteRange cfa_expression = {};  // In place of the two where it is not empty.
    SavedRegister frame_pointer;
    SavedRegister return_address;
};

/// Runs the program up to `address`. False: something in it is not understood.
[[nodiscard]] bool run_call_frame_program(const FrameDescription& description,
                                          std::uintptr_t address, CallFrame& frame) noexcept;

}  // namespace carbide::platform
