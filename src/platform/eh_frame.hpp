// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

/// Call-frame information as compilers write it: .eh_frame, found through .eh_frame_hdr.
///
/// The sections are trusted as far as the linker made them; what is not understood is not found.
///
/// Source: Linux Standard Base 5.0, "Exception Frames"; DWARF 5, section 6.4.
namespace carbide::platform {

/// A piece of a call-frame program.
struct ByteRange {
    const std::uint8_t* begin;
    const std::uint8_t* end;
};

/// How to undo a call from one function.
struct FrameDescription {
    std::uintptr_t function_begin;
    std::uintptr_t function_end;
    ByteRange initial_program;  // Of the common information entry.
    ByteRange program;
    std::uint64_t code_alignment;
    std::int64_t data_alignment;
    std::uint64_t return_address_register;
    bool is_signal_frame;
};

/// False: nothing is known of the function at `address`.
[[nodiscard]] bool find_frame_description(const void* eh_frame_hdr, std::uintptr_t address,
                                          FrameDescription& description) noexcept;

/// Tells one build of a library from another, by samples of its table of functions.
[[nodiscard]] std::uint64_t eh_frame_fingerprint(const void* eh_frame_hdr) noexcept;

}  // namespace carbide::platform
