// SPDX-License-Identifier: MIT
#pragma once

#include <charconv>
#include <cstddef>
#include <string_view>

namespace json {

/// Up to `Capacity` bytes of text inside the object itself: for messages about a lack of memory.
/// Too long a text is cut, never in the middle of a UTF-8 character.
template <std::size_t Capacity>
class FixedText {
public:
    FixedText& append(std::string_view text) noexcept {
        std::size_t taken = text.size() < Capacity - size_ ? text.size() : Capacity - size_;
        if (taken < text.size()) {
            while (taken > 0 && (static_cast<unsigned char>(text[taken]) & 0xC0) == 0x80) --taken;
        }
        size_ += text.copy(bytes_ + size_, taken);
        return *this;
    }

    FixedText& append_number(std::size_t number) noexcept {
        char digits[20];  // 2^64 has 20 decimal digits.
        const auto written = std::to_chars(digits, digits + sizeof digits, number);
        return append({digits, static_cast<std::size_t>(written.ptr - digits)});
    }

    /// At least `digit_count` digits, as in U+00E9.
    FixedText& append_hexadecimal(std::size_t number, std::size_t digit_count) noexcept {
        constexpr std::string_view digits = "0123456789ABCDEF";
        while (digit_count < 2 * sizeof number && (number >> (4 * digit_count)) != 0) ++digit_count;
        while (digit_count-- > 0) append(digits.substr((number >> (4 * digit_count)) & 0xF, 1));
        return *this;
    }

    [[nodiscard]] std::string_view view() const noexcept { return {bytes_, size_}; }

private:
    char bytes_[Capacity];
    std::size_t size_ = 0;
};

}  // namespace json
