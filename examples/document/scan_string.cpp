// SPDX-License-Identifier: MIT
#include <bit>
#include <cstdint>
#include <cstring>

#include "carbide/check.hpp"
#include "document/scan.hpp"
#include "document/utf8.hpp"

namespace json {
namespace {

constexpr std::size_t word_bytes = sizeof(std::uint64_t);

// Eight bytes of `byte`.
constexpr std::uint64_t repeat(unsigned char byte) noexcept { return 0x0101010101010101ULL * byte; }

// Sets the highest bit of each byte that is a control character, '"', '\' or not ASCII. Subtracting
// takes that bit where it wraps. The borrow can spoil the bytes above, but never the first.
std::uint64_t special_bytes(std::uint64_t bytes) noexcept {
    const std::uint64_t below_space = bytes - repeat(0x20);
    const std::uint64_t quote = (bytes ^ repeat('"')) - repeat(1);
    const std::uint64_t backslash = (bytes ^ repeat('\\')) - repeat(1);
    return (bytes | below_space | quote | backslash) & repeat(0x80);
}

bool is_special(char byte) noexcept {
    const auto value = static_cast<unsigned char>(byte);
    return value < 0x20 || value >= 0x80 || byte == '"' || byte == '\\';
}

// The first byte that means more than itself, or the end. Most bytes of most strings do not.
const char* skip_plain(const char* at, const char* end) noexcept {
    while (static_cast<std::size_t>(end - at) >= word_bytes) {
        std::uint64_t bytes = 0;
        std::memcpy(&bytes, at, word_bytes);
        const std::uint64_t special = special_bytes(bytes);
        if (special != 0) {
            if constexpr (std::endian::native != std::endian::little) break;
            return at + std::countr_zero(special) / 8;
        }
        at += word_bytes;
    }
    while (at != end && !is_special(*at)) ++at;
    return at;
}

// The value of a hexadecimal digit, or 16.
unsigned hexadecimal_value(char byte) noexcept {
    if (byte >= '0' && byte <= '9') return static_cast<unsigned>(byte - '0');
    if (byte >= 'a' && byte <= 'f') return static_cast<unsigned>(byte - 'a') + 10;
    if (byte >= 'A' && byte <= 'F') return static_cast<unsigned>(byte - 'A') + 10;
    return 16;
}

// The four digits of a good escape.
char32_t code_unit(const char* digits) noexcept {
    char32_t unit = 0;
    for (int i = 0; i < 4; ++i) unit = unit << 4 | hexadecimal_value(digits[i]);
    return unit;
}

bool is_high_surrogate(char32_t unit) noexcept { return unit >= 0xD800 && unit <= 0xDBFF; }
bool is_low_surrogate(char32_t unit) noexcept { return unit >= 0xDC00 && unit <= 0xDFFF; }

// What a one-letter escape stands for, or 0 where there is none of that letter.
char escaped_character(char letter) noexcept {
    switch (letter) {
        case '"':
        case '\\':
        case '/':
            return letter;
        case 'b':
            return '\b';
        case 'f':
            return '\f';
        case 'n':
            return '\n';
        case 'r':
            return '\r';
        case 't':
            return '\t';
        default:
            return '\0';
    }
}

// `at` is behind "\u".
Scan scan_hexadecimal(const char* at, const char* end) noexcept {
    for (int i = 0; i < 4; ++i, ++at) {
        if (at == end || hexadecimal_value(*at) == 16) {
            return {at, "four hexadecimal digits after '\\u'"};
        }
    }
    return {at, {}};
}

// `at` is a backslash. A surrogate counts only with its other half: they are one character.
Scan scan_escape(const char* at, const char* end) noexcept {
    const char* const letter = at + 1;
    if (letter != end && escaped_character(*letter) != '\0') return {letter + 1, {}};
    if (letter == end || *letter != 'u') return {letter, "one of \"\\/bfnrtu after '\\'"};

    const Scan first = scan_hexadecimal(letter + 1, end);
    if (!first.expected.empty()) return first;
    const char32_t unit = code_unit(letter + 1);
    if (is_low_surrogate(unit)) return {at, "a high surrogate before a low one"};
    if (!is_high_surrogate(unit)) return first;

    constexpr std::string_view expected_low = "the escape of a low surrogate after a high one";
    const char* const half = first.end;
    if (end - half < 2 || half[0] != '\\' || half[1] != 'u') return {half, expected_low};
    const Scan second = scan_hexadecimal(half + 2, end);
    if (!second.expected.empty()) return second;
    if (!is_low_surrogate(code_unit(half + 2))) return {half, expected_low};
    return second;
}

// The character that the escape at `at` stands for. Moves `at` behind it.
char32_t decode_escape(const char*& at) noexcept {
    const char letter = at[1];
    at += 2;
    if (letter != 'u') return static_cast<unsigned char>(escaped_character(letter));
    const char32_t unit = code_unit(at);
    at += 4;
    if (!is_high_surrogate(unit)) return unit;
    const char32_t low = code_unit(at + 2);
    at += 6;
    return 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
}

}  // namespace

Scan scan_string(std::string_view rest) noexcept {
    const char* const end = rest.data() + rest.size();
    bool has_escapes = false;
    for (const char* at = rest.data() + 1;;) {
        at = skip_plain(at, end);
        if (at == end) return {at, "'\"' at the end of the string"};
        if (*at == '"') return {at + 1, {}, has_escapes};
        if (*at == '\\') {
            const Scan escape = scan_escape(at, end);
            if (!escape.expected.empty()) return escape;
            has_escapes = true;
            at = escape.end;
        } else if (*at == '\n' || *at == '\r') {
            return {at, "'\"' before the end of the line"};
        } else if (static_cast<unsigned char>(*at) < 0x20) {
            return {at, "control characters in a string to be escaped"};
        } else {
            const std::string_view bytes(at, static_cast<std::size_t>(end - at));
            const std::size_t size_bytes = decode_utf8(bytes).size_bytes;
            if (size_bytes == 0) return {at, "valid UTF-8"};
            at += size_bytes;
        }
    }
}

std::size_t decoded_bytes(std::string_view inside) noexcept {
    std::size_t size_bytes = 0;
    const char* const end = inside.data() + inside.size();
    for (const char* at = inside.data(); at != end;) {
        if (*at == '\\') {
            size_bytes += utf8_bytes(decode_escape(at));
        } else {
            ++size_bytes;
            ++at;
        }
    }
    CARBIDE_ASSERT(size_bytes <= inside.size());
    return size_bytes;
}

void decode_string(std::string_view inside, char* target) noexcept {
    const char* const end = inside.data() + inside.size();
    for (const char* at = inside.data(); at != end;) {
        if (*at == '\\') {
            target = encode_utf8(decode_escape(at), target);
        } else {
            *target++ = *at++;
        }
    }
}

}  // namespace json
