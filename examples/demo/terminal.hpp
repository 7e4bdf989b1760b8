// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string_view>

#include <fmt/format.h>

namespace demo {

/// What the standard output can show.
struct Terminal {
    std::size_t column_count = 80;
    bool has_colour = false;  // A terminal, and NO_COLOR is not set.
    bool has_utf8 = false;    // By the locale; otherwise bars are drawn with '#'.

    [[nodiscard]] static Terminal of_standard_output() noexcept;
};

enum class Colour : unsigned char { plain, bold, dim, red, green, yellow };

/// Appends text in a colour, where there are any.
void paint(fmt::memory_buffer& out, const Terminal& terminal, Colour colour, std::string_view text);

/// Appends a bar of `share` (0 to 1) of `column_count` columns, in eighths of a column, and spaces
/// up to `column_count`. What is not 0 shows.
void draw_bar(fmt::memory_buffer& out, const Terminal& terminal, Colour colour, double share,
              std::size_t column_count);

}  // namespace demo
