// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>

/// The programs and libraries that code ran from. A record is never freed, so that a stack can be
/// printed after its library was unloaded.
///
/// That a library has taken the place of another is noticed at the first return address that the
/// other had not. Not covered: a stack all of whose return addresses both have is that of the
/// first; asking the linker at every capture would cost more than the capture.
namespace carbide::platform {

struct Module {
    std::uintptr_t begin;  // Of the mapped range.
    std::uintptr_t end;
    std::uintptr_t load_bias;  // An address less this is the address in the file.
    const char* path;          // Absolute where known; a copy.

    /// Sampled from the table of functions, so that a rebuilt file at the same place is another.
    std::uint64_t fingerprint;
    std::uint16_t index;  // From 1.
    mutable std::atomic<bool> is_loaded;
};

/// What the dynamic linker knows of an address.
struct LoadedCode {
    const Module* module;      // Null where no record could be made.
    const void* eh_frame_hdr;  // Null: no call-frame information.
};

/// Records the module where it is new.
[[nodiscard]] LoadedCode loaded_code_at(std::uintptr_t address) noexcept;

/// Null for 0.
[[nodiscard]] const Module* module_with_index(unsigned index) noexcept;

/// Counts how often a module was found at addresses of an earlier one. What is remembered about
/// addresses holds within one generation.
[[nodiscard]] inline std::uint32_t module_generation() noexcept;

namespace detail {
extern constinit std::atomic<std::uint32_t> module_generation;
}

inline std::uint32_t module_generation() noexcept {
    return detail::module_generation.load(std::memory_order_seq_cst);
}

}  // namespace carbide::platform
