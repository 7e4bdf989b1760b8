// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string_view>

/// UTF-8 by its definition in RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
namespace json {

inline constexpr std::size_t utf8_bytes_max = 4;

/// A character at the front of a text.
struct Utf8Character {
    char32_t code_point = 0;
    std::size_t size_bytes = 0;  // 0 where the text does not start with a valid character.
};

[[nodiscard]] Utf8Character decode_utf8(std::string_view text) noexcept;

/// Bytes that `encode_utf8` writes. `code_point` is no surrogate and at most U+10FFFF.
[[nodiscard]] std::size_t utf8_bytes(char32_t code_point) noexcept;

/// Writes one character to `target` and returns the address behind it.
char* encode_utf8(char32_t code_point, char* target) noexcept;

[[nodiscard]] bool is_valid_utf8(std::string_view text) noexcept;

/// True for characters that a terminal shows as themselves: no controls, no invisible or combining
/// characters, and none that reorder the line.
[[nodiscard]] bool is_visible(char32_t code_point) noexcept;

}  // namespace json
