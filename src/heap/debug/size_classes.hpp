// SPDX-License-Identifier: MIT
#pragma once

#include <bit>
#include <cstddef>

namespace carbide::detail {

/// Slots have few sizes: multiples of 16 up to 128 bytes, then eight sizes per doubling, so that
/// rounding wastes at most an eighth. A slot holds an allocation and its pads.
inline constexpr std::size_t slot_step_bytes = 16;
inline constexpr std::size_t slot_bytes_max = std::size_t{64} << 10;

/// The class of the smallest slot with at least `size_bytes`, from 1 to `slot_bytes_max`.
[[nodiscard]] constexpr unsigned size_class_of(std::size_t size_bytes) noexcept {
    if (size_bytes <= 128) return static_cast<unsigned>((size_bytes + 15) / 16) - 1;
    const std::size_t last = size_bytes - 1;
    const auto doubling = static_cast<unsigned>(std::bit_width(last)) - 8;  // 129..256 is 0.
    return 8 + doubling * 8 + static_cast<unsigned>((last >> (doubling + 4)) & 7);
}

[[nodiscard]] constexpr std::size_t slot_bytes_of(unsigned size_class) noexcept {
    if (size_class < 8) return (size_class + std::size_t{1}) * 16;
    const unsigned doubling = (size_class - 8) / 8;
    const std::size_t eighths = (size_class - 8) % 8 + std::size_t{9};
    return eighths << (doubling + 4);
}

inline constexpr unsigned size_class_count = size_class_of(slot_bytes_max) + 1;

static_assert(slot_bytes_of(size_class_count - 1) == slot_bytes_max);
static_assert(slot_bytes_of(size_class_of(129)) == 144);
static_assert(slot_bytes_of(size_class_of(256)) == 256);
static_assert(slot_bytes_of(size_class_of(257)) == 288);

/// Memory is cut into units, the granularity at which an address is looked up.
inline constexpr std::size_t unit_bytes = std::size_t{64} << 10;

/// Units in a span of slots of this class: at least eight slots, and no more waste than an eighth.
[[nodiscard]] constexpr unsigned span_unit_count(unsigned size_class) noexcept {
    const std::size_t slot_bytes = slot_bytes_of(size_class);
    return slot_bytes <= (std::size_t{4} << 10) ? 1 : slot_bytes <= (std::size_t{16} << 10) ? 4 : 8;
}

}  // namespace carbide::detail
