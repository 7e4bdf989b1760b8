// SPDX-License-Identifier: MIT
#include "document/utf8.hpp"

#include "carbide/check.hpp"

namespace json {
namespace {

// The least code point that needs this many bytes. Whatever is below it is overlong.
constexpr char32_t code_point_min[utf8_bytes_max + 1] = {0, 0, 0x80, 0x800, 0x10000};

std::size_t announced_bytes(unsigned char lead) noexcept {
    if (lead < 0x80) return 1;
    if ((lead & 0xE0) == 0xC0) return 2;
    if ((lead & 0xF0) == 0xE0) return 3;
    if ((lead & 0xF8) == 0xF0) return 4;
    return 0;  // A continuation byte, or one that UTF-8 never uses.
}

bool is_surrogate(char32_t code_point) noexcept {
    return code_point >= 0xD800 && code_point <= 0xDFFF;
}

}  // namespace

Utf8Character decode_utf8(std::string_view text) noexcept {
    if (text.empty()) return {};
    const auto lead = static_cast<unsigned char>(text[0]);
    const std::size_t size_bytes = announced_bytes(lead);
    if (size_bytes == 0 || size_bytes > text.size()) return {};
    if (size_bytes == 1) return {lead, 1};

    char32_t code_point = lead & (0xFFU >> (size_bytes + 1));
    for (std::size_t i = 1; i < size_bytes; ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        if ((byte & 0xC0) != 0x80) return {};
        code_point = code_point << 6 | (byte & 0x3FU);
    }
    if (code_point < code_point_min[size_bytes]) return {};
    if (is_surrogate(code_point) || code_point > 0x10FFFF) return {};
    return {code_point, size_bytes};
}

std::size_t utf8_bytes(char32_t code_point) noexcept {
    std::size_t size_bytes = utf8_bytes_max;
    while (size_bytes > 1 && code_point < code_point_min[size_bytes]) --size_bytes;
    return size_bytes;
}

char* encode_utf8(char32_t code_point, char* target) noexcept {
    CARBIDE_ASSERT(code_point <= 0x10FFFF);
    CARBIDE_ASSERT(!is_surrogate(code_point));
    const std::size_t size_bytes = utf8_bytes(code_point);
    if (size_bytes == 1) {
        *target = static_cast<char>(code_point);
        return target + 1;
    }
    char32_t rest = code_point;
    for (std::size_t i = size_bytes - 1; i > 0; --i) {
        target[i] = static_cast<char>(0x80U | (rest & 0x3FU));
        rest >>= 6;
    }
    target[0] = static_cast<char>((0xF00U >> size_bytes & 0xFFU) | rest);
    return target + size_bytes;
}

bool is_valid_utf8(std::string_view text) noexcept {
    while (!text.empty()) {
        const std::size_t size_bytes = decode_utf8(text).size_bytes;
        if (size_bytes == 0) return false;
        text.remove_prefix(size_bytes);
    }
    return true;
}

bool is_visible(char32_t code_point) noexcept {
    struct Range {
        char32_t first, last;
    };
    constexpr Range hidden[] = {
        {0x00, 0x1F},     {0x7F, 0xA0},     {0xAD, 0xAD},     {0x300, 0x36F},
        {0x61C, 0x61C},   {0x200B, 0x200F}, {0x2028, 0x202F}, {0x2060, 0x206F},
        {0xFE00, 0xFE0F}, {0xFEFF, 0xFEFF}, {0xFFF0, 0xFFFF}, {0xE0000, 0xE0FFF},
    };
    for (const Range range : hidden) {
        if (code_point >= range.first && code_point <= range.last) return false;
    }
    return true;
}

}  // namespace json
