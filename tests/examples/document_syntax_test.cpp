// SPDX-License-Identifier: MIT
#include "document/token.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "document/scan.hpp"
#include "examples/document_support.hpp"

using document_test::compact;
using document_test::verdict;

TEST_CASE("document: containers nest as deep as the options allow, and no deeper") {
    const auto nested = [](std::size_t depth) {
        return std::string(depth, '[') + std::string(depth, ']');
    };
    CHECK(verdict(nested(512)) == "good");
    CHECK(verdict(nested(513)) == "line 1, column 513: nested deeper than 512 levels");
    CHECK(verdict("[{\"a\":[]}]", {.depth_max = 2}) ==
          "line 1, column 7: nested deeper than 2 levels");
    CHECK(verdict("[{\"a\":0},{\"a\":0}]", {.depth_max = 2}) == "good");
    CHECK(verdict("0", {.depth_max = 0}) == "good");
    CHECK(verdict("{}", {.depth_max = 0}) == "line 1, column 1: nested deeper than 0 levels");
}

TEST_CASE("document: nesting costs no call stack") {
    constexpr std::size_t depth = 300'000;
    std::string source;
    for (std::size_t i = 0; i < depth; ++i) source += i % 2 == 0 ? "[" : "{\"k\":";
    const std::string opened = source;
    source += "0";
    for (std::size_t i = depth; i-- > 0;) source += i % 2 == 0 ? "]" : "}";
    CHECK(verdict(source, {.depth_max = depth}) == "good");
    CHECK(verdict(opened, {.depth_max = depth}) != "good");

    const std::string_view pointers[] = {""};
    const auto document = json::process_document(carbide::c_allocator(), source,
                                                 {.depth_max = depth, .pointers = pointers});
    REQUIRE(document.has_value());
    CHECK(document->counts().depth == depth);
    CHECK(document->answers()[0].json == source);
}

TEST_CASE("document: compact JSON says the same as its source") {
    CHECK(compact(" [ 1 , 2.50 , -0 , 1E+2 ] ") == "[1,2.50,-0,1E+2]");
    CHECK(compact("{ \"a\" : [ ] , \"b\" : { } }") == "{\"a\":[],\"b\":{}}");
    CHECK(compact("[[1,[2]],{\"a\":{\"b\":[3]}},4]") == "[[1,[2]],{\"a\":{\"b\":[3]}},4]");
    CHECK(compact("[true,false,null]") == "[true,false,null]");
    CHECK(compact(R"("\"\\\/\b\f\n\r\t")") == R"("\"\\/\b\f\n\r\t")");
    CHECK(compact(R"("\u0000\u001f\u0020\u007f")") == "\"\\u0000\\u001f \x7F\"");
    CHECK(compact(R"({"\n":"\u0041\u00e9\u20ac\ud834\udd1e"})") == "{\"\\n\":\"Aé€𝄞\"}");
    CHECK(compact("\"é€𝄞\"") == "\"é€𝄞\"");
}

TEST_CASE("document: a byte in a string means the same wherever it stands") {
    const auto goes_wrong = [](unsigned char byte) { return byte < 0x20 || byte >= 0x80; };
    for (std::size_t position = 0; position < 24; ++position) {
        for (unsigned value = 0; value <= 0xFF; ++value) {
            const auto byte = static_cast<char>(value);
            std::string source = "\"" + std::string(24, 'a') + "\"";
            source[1 + position] = byte;
            const json::Scan scan = json::scan_string(source);
            const auto end = static_cast<std::size_t>(scan.end - source.data());
            CAPTURE(position);
            CAPTURE(value);
            if (goes_wrong(static_cast<unsigned char>(byte))) {
                REQUIRE(end == 1 + position);
                REQUIRE(!scan.expected.empty());
            } else if (byte == '"') {
                REQUIRE(end == 2 + position);
                REQUIRE(scan.expected.empty());
            } else if (byte != '\\') {
                REQUIRE(end == source.size());
                REQUIRE(scan.expected.empty());
            }
        }
    }
}

TEST_CASE("document: numbers keep their text and become doubles on demand") {
    CHECK(compact("1e99999999999999999999") == "1e99999999999999999999");
    CHECK(compact("0.1000000000000000055511151231257827") ==
          "0.1000000000000000055511151231257827");
    CHECK(json::number_value("0") == 0.0);
    CHECK(json::number_value("-1.5e2") == -150.0);
    CHECK(json::number_value("0.1") == 0.1);
    CHECK(json::number_value("1E+2") == 100.0);
    CHECK(json::number_value("9007199254740993") == 9007199254740992.0);
    CHECK(json::number_value("1.7976931348623157e308") == 1.7976931348623157e308);
    CHECK(!json::number_value("1e400").has_value());
    CHECK(!json::number_value("-1e99999999999999999999").has_value());
    CHECK(!json::number_value("1e-400").has_value());
}

TEST_CASE("document: tokens are views into the source, and only the last is an end") {
    document_test::CheckedMalloc malloc;
    const std::string_view source = "{\"a\": [1, \"\\n\", true]} ";
    const auto tokens = json::tokenize(malloc.allocator(), source);
    REQUIRE(tokens.has_value());
    using Kind = json::TokenKind;
    const std::pair<Kind, std::string_view> expected[] = {
        {Kind::begin_object, "{"},
        {Kind::string, "\"a\""},
        {Kind::colon, ":"},
        {Kind::begin_array, "["},
        {Kind::number, "1"},
        {Kind::comma, ","},
        {Kind::escaped_string, "\"\\n\""},
        {Kind::comma, ","},
        {Kind::literal_true, "true"},
        {Kind::end_array, "]"},
        {Kind::end_object, "}"},
        {Kind::end_of_file, ""},
    };
    REQUIRE(tokens->items.size() == std::size(expected));
    for (std::size_t i = 0; i < std::size(expected); ++i) {
        const json::TokenKind kind = tokens->items[i].kind;  // A bit-field does not bind.
        CHECK(kind == expected[i].first);
        CHECK(tokens->items[i].text() == expected[i].second);
        CHECK(tokens->items[i].data >= source.data());
        CHECK(tokens->items[i].data <= source.data() + source.size());
    }
    json::free_tokens(malloc.allocator(), *tokens);
}
