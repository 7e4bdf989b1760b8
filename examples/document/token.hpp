// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "carbide/allocator.hpp"
#include "carbide/annotations.hpp"
#include "document/error.hpp"

namespace json {

enum class TokenKind : std::uint8_t {
    begin_object,
    end_object,
    begin_array,
    end_array,
    colon,
    comma,
    string,          // Quotes included; what stands between them is the value.
    escaped_string,  // Quotes included; has escape sequences, all of them good.
    number,
    literal_true,
    literal_false,
    literal_null,
    end_of_file,
    unexpected,  // Begins no token: only the parser knows what should stand there.
    malformed,   // Begins where a string or number went wrong.
};

/// A piece of the source, without copying it.
struct Token {
    Token(TokenKind token_kind, const char* begin, const char* end) noexcept
        : data(begin),
          size_bytes(static_cast<std::size_t>(end - begin) & size_bytes_max),
          kind(token_kind) {}

    [[nodiscard]] std::string_view text() const noexcept { return {data, size_bytes}; }

    static constexpr std::size_t size_bytes_max = (std::size_t{1} << 56) - 1;

    const char* data;
    std::size_t size_bytes : 56;
    TokenKind kind : 8;
};

static_assert(sizeof(Token) == 16, "a document has more tokens than anything else: two words each");

/// The tokens of a source, as views into it. Never empty: the last one, and no other, is
/// `end_of_file`, `unexpected` or `malformed`.
struct Tokens {
    std::span<Token> items;

    /// What should stand where a `malformed` token begins.
    std::string_view expected_of_malformed;
};

/// Splits a source into tokens: RFC 8259 section 2, and the insides of numbers and strings. Stops
/// at the first that is wrong, without an error: the parser may find an earlier one.
///
/// A byte order mark at the beginning is skipped, as section 8.1 of the RFC permits.
CARBIDE_CALLER_OWNS carbide::Result<Tokens> tokenize(carbide::Allocator arena,
                                                     std::string_view source) noexcept;

/// For callers whose allocator is no arena.
void free_tokens(carbide::Allocator allocator, CARBIDE_TAKES_OWNERSHIP Tokens tokens) noexcept;

/// Names a token for a message: `'}'`, `a string`, `'nul'`, `end of file`.
[[nodiscard]] DocumentError::Found describe_token(std::string_view source,
                                                  const Token& token) noexcept;

}  // namespace json
