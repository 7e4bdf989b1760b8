// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

/// The two tokens that have an inside: numbers (RFC 8259 section 6) and strings (section 7).
namespace json {

/// How far a token goes.
struct Scan {
    /// Behind the token, or the first byte that does not belong where it stands.
    const char* end;

    /// What should stand there; empty where the token is good.
    std::string_view expected;

    bool has_escapes = false;
};

/// `rest` begins with '-' or a digit.
[[nodiscard]] Scan scan_number(std::string_view rest) noexcept;

/// `rest` begins with '"'.
[[nodiscard]] Scan scan_string(std::string_view rest) noexcept;

/// The value of a number's text. Nothing where no double is near it: 1e400, 1e-400.
[[nodiscard]] std::optional<double> number_value(std::string_view number) noexcept;

/// Bytes of a string's value. `inside` is what stands between the quotes of a good string.
[[nodiscard]] std::size_t decoded_bytes(std::string_view inside) noexcept;

/// Writes the value of a good string, `decoded_bytes(inside)` bytes, to `target`.
void decode_string(std::string_view inside, char* target) noexcept;

}  // namespace json
