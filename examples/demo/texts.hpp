// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string_view>

#include "document/fixed_text.hpp"

/// Numbers and names as people read them.
namespace demo {

using ShortText = json::FixedText<40>;

/// 1234567 as "1,234,567".
[[nodiscard]] ShortText grouped(std::size_t number) noexcept;

/// "960 bytes", "6.2 KB", "1.5 MB": powers of 1000.
[[nodiscard]] ShortText bytes_text(std::size_t size_bytes) noexcept;

/// "0.09 ms", "10.6 ms", "1.24 s".
[[nodiscard]] ShortText time_text(double time_ms) noexcept;

/// How many times the greater of two is the lesser: "2.3 times", "1,500 times".
[[nodiscard]] ShortText ratio_text(double greater, double lesser) noexcept;

/// Foreign text for a terminal: what could move its cursor becomes '?', and what is too long "...".
[[nodiscard]] ShortText printable(std::string_view text) noexcept;

}  // namespace demo
