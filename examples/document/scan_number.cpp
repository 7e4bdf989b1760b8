// SPDX-License-Identifier: MIT
#include <charconv>

#include "document/scan.hpp"

namespace json {
namespace {

bool is_digit(const char* at, const char* end) noexcept {
    return at != end && *at >= '0' && *at <= '9';
}

const char* skip_digits(const char* at, const char* end) noexcept {
    while (is_digit(at, end)) ++at;
    return at;
}

}  // namespace

// number = [ "-" ] ( "0" / digit1-9 *digit ) [ "." 1*digit ] [ ("e" / "E") [ "-" / "+" ] 1*digit ]
Scan scan_number(std::string_view rest) noexcept {
    const char* at = rest.data();
    const char* const end = at + rest.size();

    if (*at == '-') {
        ++at;
        if (!is_digit(at, end)) return {at, "a digit after '-'"};
    }
    if (*at == '0') {
        ++at;
        if (is_digit(at, end)) return {at, "no digit after a leading 0"};
    }
    at = skip_digits(at, end);

    if (at != end && *at == '.') {
        ++at;
        if (!is_digit(at, end)) return {at, "a digit after the decimal point"};
        at = skip_digits(at, end);
    }
    if (at != end && (*at == 'e' || *at == 'E')) {
        ++at;
        if (at != end && (*at == '-' || *at == '+')) ++at;
        if (!is_digit(at, end)) return {at, "a digit in the exponent"};
        at = skip_digits(at, end);
    }
    return {at, {}};
}

std::optional<double> number_value(std::string_view number) noexcept {
    double value = 0;
    const char* const begin = number.data();
    const char* const end = begin + number.size();
    const auto parsed = std::from_chars(begin, end, value);
    if (parsed.ec != std::errc{} || parsed.ptr != end) return std::nullopt;
    return value;
}

}  // namespace json
