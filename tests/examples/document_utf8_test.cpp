// SPDX-License-Identifier: MIT
#include "document/utf8.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

#include "examples/document_support.hpp"

using namespace std::string_view_literals;

namespace {

bool is_surrogate(char32_t code_point) { return code_point >= 0xD800 && code_point <= 0xDFFF; }

// The definition, written down as slowly as possible.
std::string encoded(char32_t code_point) {
    const auto byte = [](char32_t value) { return static_cast<char>(value); };
    if (code_point < 0x80) return {byte(code_point)};
    const char last = byte(0x80 + code_point % 64);
    if (code_point < 0x800) return {byte(0xC0 + code_point / 64), last};
    const char third = byte(0x80 + code_point / 64 % 64);
    if (code_point < 0x10000) return {byte(0xE0 + code_point / 4096), third, last};
    const char second = byte(0x80 + code_point / 4096 % 64);
    return {byte(0xF0 + code_point / 262144), second, third, last};
}

}  // namespace

TEST_CASE("utf8: every code point but the surrogates is written and read back") {
    const auto survives = [](char32_t code_point, std::string_view text) {
        const json::Utf8Character character = json::decode_utf8(text);
        char target[json::utf8_bytes_max];
        const char* const end = json::encode_utf8(code_point, target);
        return character.code_point == code_point && character.size_bytes == text.size() &&
               json::utf8_bytes(code_point) == text.size() &&
               std::string_view(target, static_cast<std::size_t>(end - target)) == text;
    };
    for (char32_t code_point = 0; code_point <= 0x10FFFF; ++code_point) {
        const std::string text = encoded(code_point);
        const bool good = is_surrogate(code_point) ? json::decode_utf8(text).size_bytes == 0
                                                   : survives(code_point, text);
        if (good) continue;  // A million checks would take their time.
        FAIL("code point ", static_cast<std::uint32_t>(code_point));
    }
}

TEST_CASE("utf8: of all three-byte texts those are valid that the table of RFC 3629 has") {
    const auto tail = [](unsigned byte) { return byte >= 0x80 && byte <= 0xBF; };
    for (unsigned lead = 0xC0; lead <= 0xFF; ++lead) {
        for (unsigned second = 0x70; second <= 0xD0; ++second) {
            for (const unsigned third : {0x20U, 0x7FU, 0x80U, 0xBFU, 0xC0U}) {
                const char text[] = {static_cast<char>(lead), static_cast<char>(second),
                                     static_cast<char>(third)};
                std::size_t size_bytes = 0;
                if (lead >= 0xC2 && lead <= 0xDF && tail(second)) size_bytes = 2;
                if (lead >= 0xE0 && lead <= 0xEF && tail(second) && tail(third)) size_bytes = 3;
                if (lead == 0xE0 && second < 0xA0) size_bytes = 0;
                if (lead == 0xED && second > 0x9F) size_bytes = 0;
                CAPTURE(lead);
                CAPTURE(second);
                REQUIRE(json::decode_utf8({text, 3}).size_bytes == size_bytes);
            }
        }
    }
}

TEST_CASE("utf8: overlong, surrogate, too large and cut-off characters are refused in strings") {
    const std::string_view bad[] = {
        "\x80",
        "\xBF",
        "\xC0\x80",
        "\xC0\xAF",
        "\xC1\xBF",
        "\xC2",
        "\xC2\x41",
        "\xC2\xC2",
        "\xE0\x80\x80",
        "\xE0\x80\xAF",
        "\xE0\x9F\xBF",
        "\xE2\x82",
        "\xE2\x82\x41",
        "\xED\xA0\x80",
        "\xED\xBF\xBF",
        "\xED\xA0\x80\xED\xB0\x80",
        "\xF0\x80\x80\x80",
        "\xF0\x8F\xBF\xBF",
        "\xF0\x9D\x84",
        "\xF4\x90\x80\x80",
        "\xF5\x80\x80\x80",
        "\xF8\x88\x80\x80\x80",
        "\xFC\x84\x80\x80\x80\x80",
        "\xFE",
        "\xFF",
        "abcdefgh\xFF",
        "abcdefg\xC0\x80",
        "é\xC3",
    };
    for (const std::string_view bytes : bad) {
        const std::string source = "[\"" + std::string(bytes) + "\"]";
        CAPTURE(source);
        CHECK(!json::is_valid_utf8(bytes));
        CHECK(document_test::verdict(source).find("expected valid UTF-8, found byte 0x") !=
              std::string::npos);
        CHECK(document_test::verdict("{" + source.substr(1, source.size() - 2) + ":0}") != "good");
    }
}

TEST_CASE("utf8: the limits of every length are accepted in strings") {
    const std::string_view good[] = {
        "\x7F",         "\xC2\x80",     "\xDF\xBF",         "\xE0\xA0\x80",     "\xED\x9F\xBF",
        "\xEE\x80\x80", "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF", "1234567é",
        "12345678é9",
    };
    for (const std::string_view bytes : good) {
        CAPTURE(bytes);
        CHECK(json::is_valid_utf8(bytes));
        const std::string source = "\"" + std::string(bytes) + "\"";
        CHECK(document_test::compact(source) == source);
    }
}

TEST_CASE("utf8: an escape stands for the character that it names") {
    for (char32_t code_point = 0x80; code_point <= 0x10FFFF; code_point += 97) {
        if (is_surrogate(code_point)) continue;
        char source[16];
        if (code_point < 0x10000) {
            std::snprintf(source, sizeof source, "\"\\u%04X\"", static_cast<unsigned>(code_point));
        } else {
            const auto rest = static_cast<unsigned>(code_point - 0x10000);
            std::snprintf(source, sizeof source, "\"\\u%04x\\u%04x\"", 0xD800 + (rest >> 10),
                          0xDC00 + (rest & 0x3FF));
        }
        REQUIRE(document_test::compact(source) == "\"" + encoded(code_point) + "\"");
    }
}
