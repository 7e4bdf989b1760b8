// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
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
        for (std::size_t i = from_bytes; i < size_bytes;) {
            const std::size_t count = row_bytes(i, size_bytes);
            std::memcpy(memory + i, expected(i), count);
            i += count;
        }
    }

    /// Whether the first `count` bytes are as written.
    [[nodiscard]] bool holds(std::size_t count) const noexcept {
        for (std::size_t i = 0; i < count;) {
            const std::size_t compared = row_bytes(i, count);
            if (std::memcmp(memory + i, expected(i), compared) != 0) return false;
            i += compared;
        }
        return true;
    }
    [[nodiscard]] bool holds() const noexcept { return holds(size_bytes); }

    [[nodiscard]] bool is_aligned() const noexcept {
        const auto address = reinterpret_cast<std::uintptr_t>(memory);
        return (address & (static_cast<std::size_t>(alignment) - 1)) == 0;
    }

private:
    static constexpr std::size_t row_bytes_max = 256;

    // 0, 1, ... 255, 0, 1, ... so that a row may begin with any byte. Whole rows at a time, because
    // byte by byte the kit would take minutes under a sanitizer.
    static constexpr auto counting_bytes = [] {
        std::array<unsigned char, 2 * row_bytes_max> bytes{};
        for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<unsigned char>(i);
        return bytes;
    }();

    // From byte i to the end of its row, but not beyond `end`.
    [[nodiscard]] static std::size_t row_bytes(std::size_t i, std::size_t end) noexcept {
        return std::min(row_bytes_max - i % row_bytes_max, end - i);
    }

    // What stands from byte i to the end of its row. Each row begins one higher than the last,
    // which keeps two blocks of one pattern and different offsets apart.
    [[nodiscard]] const unsigned char* expected(std::size_t i) const noexcept {
        return &counting_bytes[(pattern + i + i / row_bytes_max) % row_bytes_max];
    }
};

}  // namespace carbide::testing
