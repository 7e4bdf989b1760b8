// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <new>

#include "carbide/arena_allocator.hpp"

namespace carbide {

// A chunk, low addresses first:
//
//   | Chunk | allocation | allocation | padding, link | over-aligned allocation | free ... |
//           ^ begin()                                                           ^ cursor    ^
//           limit()
//
// Invariant: begin() <= cursor <= limit(), all multiples of the window's granule. The cursor of
// the newest chunk is in the window, that of every other one in `left_at`.
struct alignas(16) ArenaAllocator::Chunk {
    static constexpr std::align_val_t alignment{16};

    Chunk* older;
    std::size_t size_bytes;  // Header included.
    BumpWindow::Position left_at;

    [[nodiscard]] std::uintptr_t begin() const noexcept {
        return reinterpret_cast<std::uintptr_t>(this + 1);
    }
    [[nodiscard]] std::uintptr_t limit() const noexcept {
        return reinterpret_cast<std::uintptr_t>(this) + size_bytes;
    }

    /// The smallest chunk in which an allocation of this size and alignment fits; 0 where that
    /// overflows. A multiple of 16.
    [[nodiscard]] static std::size_t needed_bytes(std::size_t size_bytes,
                                                  std::align_val_t allocation_alignment) noexcept;
};

}  // namespace carbide
