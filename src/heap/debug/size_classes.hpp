// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

#include "carbide/size_class.hpp"

namespace carbide::detail {

/// A slot of the debug allocator holds an allocation and its pads.
inline constexpr std::size_t slot_step_bytes = 16;
inline constexpr std::size_t slot_bytes_max = std::size_t{64} << 10;
inline constexpr unsigned size_class_count = size_class_of(slot_bytes_max) + 1;

static_assert(slot_bytes_of(size_class_count - 1) == slot_bytes_max);

/// Memory is cut into units, the granularity at which an address is looked up.
inline constexpr std::size_t unit_bytes = std::size_t{64} << 10;

/// Units in a span of slots of this class: at least eight slots, and no more waste than an eighth.
[[nodiscard]] constexpr unsigned span_unit_count(unsigned size_class) noexcept {
    const std::size_t slot_bytes = slot_bytes_of(size_class);
    return slot_bytes <= (std::size_t{4} << 10) ? 1 : slot_bytes <= (std::size_t{16} << 10) ? 4 : 8;
}

}  // namespace carbide::detail
