// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>

namespace carbide::testing {

/// An allocation that the kit holds, filled with bytes that tell it from every other one: byte i is
/// `pattern + i`. So a block that overlaps another, or moves without its content, is seen.
struct Block {
    unsigned char* memory = nullptr;
    std::size_t size_bytes = 0;
    std::align_val_t alignment{1};
    unsigned char pattern = 0;

    void write(std::size_t from_bytes = 0) const noexcept {
        for (std::size_t i = from_bytes; i < size_bytes; ++i) memory[i] = expected(i);
    }

    /// Whether the first `count` bytes are as written.
    [[nodiscard]] bool holds(std::size_t count) const noexcept {
        for (std::size_t i = 0; i < count; ++i) {
            if (memory[i] != expected(i)) return false;
        }
        return true;
    }
    [[nodiscard]] bool holds() const noexcept { return holds(size_bytes); }

    [[nodiscard]] bool is_aligned() const noexcept {
        const auto address = reinterpret_cast<std::uintptr_t>(memory);
        return (address & (static_cast<std::size_t>(alignment) - 1)) == 0;
    }

private:
    // The high part keeps two blocks of one pattern and different offsets apart.
    [[nodiscard]] unsigned char expected(std::size_t i) const noexcept {
        return static_cast<unsigned char>(pattern + i + (i >> 8));
    }
};

}  // namespace carbide::testing
