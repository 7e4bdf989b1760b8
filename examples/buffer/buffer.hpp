// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <utility>

#include "carbide/allocator.hpp"
#include "carbide/owned_slice.hpp"
#include "carbide/poison.hpp"
#include "carbide/try.hpp"

// Allocator injection: whoever makes the buffer says where its memory comes from. Twice the same
// class: owning its memory, as C++ code should, and with a `deinit` that somebody has to call.
namespace examples {

// [snippet:buffer]
class Buffer {
public:
    /// A constructor cannot fail politely, so a function makes the buffer.
    static carbide::Result<Buffer> create(carbide::Allocator allocator, std::size_t size_bytes) {
        return Buffer(CARBIDE_TRY(carbide::make_owned_slice<std::byte>(allocator, size_bytes)));
    }

    std::span<std::byte> bytes() noexcept CARBIDE_LIFETIMEBOUND { return bytes_.span(); }

private:
    explicit Buffer(carbide::OwnedSlice<std::byte> bytes) noexcept : bytes_(std::move(bytes)) {}

    carbide::OwnedSlice<std::byte> bytes_;  // Keeps the allocator, frees, moves, never copies.
};
// [/snippet:buffer]

// [snippet:manual_buffer]
struct ManualBuffer {
    carbide::Allocator allocator;
    std::span<std::byte> bytes;

    /// The caller must call `deinit`, once.
    static carbide::Result<ManualBuffer> init(carbide::Allocator allocator,
                                              std::size_t size_bytes) {
        const std::span<std::byte> bytes = CARBIDE_TRY(allocator.alloc<std::byte>(size_bytes));
        return ManualBuffer{.allocator = allocator, .bytes = bytes};
    }

    void deinit() noexcept {
        allocator.free(bytes);
        carbide::poison(*this);  // Whoever uses it again meets 0xAA.
    }
};
// [/snippet:manual_buffer]

}  // namespace examples
