// SPDX-License-Identifier: MIT
#pragma once

#include <bit>
#include <cstddef>

/// Slots have few sizes: multiples of 16 up to 256 bytes, then eight sizes per doubling. So
/// rounding wastes less than 16 bytes up to 128, and at most an eighth above.
///
///     class       0   1  ...   7    8  ...   15   16   17  ...   23   24 ...
///     slot bytes  16  32 ...  128  144 ...  256  288  320  ...  512  576 ...
namespace carbide::detail {

static_assert(sizeof(std::size_t) == 8);

/// The class of the smallest slot with at least `size_bytes`, which is not 0. Without a branch: the
/// size of an allocation is often loaded from memory just before it is freed.
[[nodiscard]] constexpr unsigned size_class_of(std::size_t size_bytes) noexcept {
    const std::size_t last = size_bytes - 1;
    // Written so that compilers make one instruction of it, where bit_width takes three.
    const auto top_bit = 63U ^ static_cast<unsigned>(std::countl_zero(last | 128));
    return 8 * (top_bit - 7) + static_cast<unsigned>(last >> (top_bit - 3));
}

[[nodiscard]] constexpr std::size_t slot_bytes_of(unsigned size_class) noexcept {
    if (size_class < 16) return (size_class + std::size_t{1}) * 16;
    const unsigned doubling = size_class / 8 - 1;  // 1: 257 to 512 bytes.
    return (size_class % 8 + std::size_t{9}) << (doubling + 4);
}

static_assert(size_class_of(1) == 0 && size_class_of(16) == 0 && size_class_of(17) == 1);
static_assert(slot_bytes_of(size_class_of(128)) == 128 && slot_bytes_of(size_class_of(129)) == 144);
static_assert(slot_bytes_of(size_class_of(256)) == 256 && slot_bytes_of(size_class_of(257)) == 288);
static_assert(slot_bytes_of(size_class_of(4097)) == 4608);

}  // namespace carbide::detail
