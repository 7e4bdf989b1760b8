// SPDX-License-Identifier: MIT
#include "demo/texts.hpp"

#include <charconv>
#include <cmath>

#include "document/utf8.hpp"

namespace demo {
namespace {

// As many decimals as make three digits.
void append_three_digits(ShortText& text, double number) noexcept {
    const int decimal_count = number < 9.995 ? 2 : number < 99.95 ? 1 : 0;
    char digits[32];
    const auto written = std::to_chars(digits, digits + sizeof digits, number,
                                       std::chars_format::fixed, decimal_count);
    text.append({digits, static_cast<std::size_t>(written.ptr - digits)});
}

}  // namespace

ShortText grouped(std::size_t number) noexcept {
    json::FixedText<20> digits;
    digits.append_number(number);
    ShortText text;
    for (std::size_t i = 0; i < digits.view().size(); ++i) {
        const std::size_t left_count = digits.view().size() - i;
        if (i != 0 && left_count % 3 == 0) text.append(",");
        text.append(digits.view().substr(i, 1));
    }
    return text;
}

ShortText bytes_text(std::size_t size_bytes) noexcept {
    ShortText text;
    if (size_bytes < 1000) {
        return text.append_number(size_bytes).append(size_bytes == 1 ? " byte" : " bytes");
    }
    auto size = static_cast<double>(size_bytes) / 1000;
    constexpr std::string_view units[] = {" KB", " MB", " GB"};
    std::size_t unit = 0;
    for (; size >= 999.5 && unit < 2; ++unit) size /= 1000;
    append_three_digits(text, size);
    return text.append(units[unit]);
}

ShortText time_text(double time_ms) noexcept {
    ShortText text;
    const bool in_seconds = time_ms >= 999.5;
    append_three_digits(text, in_seconds ? time_ms / 1000 : time_ms);
    return text.append(in_seconds ? " s" : " ms");
}

ShortText ratio_text(double greater, double lesser) noexcept {
    const double ratio = lesser > 0 ? greater / lesser : greater;
    if (ratio >= 99.5) {
        return grouped(static_cast<std::size_t>(std::lround(ratio))).append(" times");
    }
    ShortText text;
    char digits[32];
    const auto written = std::to_chars(digits, digits + sizeof digits, ratio,
                                       std::chars_format::fixed, ratio < 9.95 ? 1 : 0);
    text.append({digits, static_cast<std::size_t>(written.ptr - digits)});
    return text.append(" times");
}

ShortText printable(std::string_view text) noexcept {
    constexpr std::size_t shown_bytes_max = 32;
    ShortText shown;
    while (!text.empty()) {
        const json::Utf8Character character = json::decode_utf8(text);
        const std::size_t size_bytes = character.size_bytes == 0 ? 1 : character.size_bytes;
        if (shown.view().size() + size_bytes > shown_bytes_max) return shown.append("...");
        const bool visible = character.size_bytes != 0 && json::is_visible(character.code_point);
        shown.append(visible ? text.substr(0, size_bytes) : "?");
        text.remove_prefix(size_bytes);
    }
    return shown;
}

}  // namespace demo
