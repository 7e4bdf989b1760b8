// SPDX-License-Identifier: MIT
#include "document/parse.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "document/scan.hpp"
#include "document/token.hpp"
#include "examples/document_support.hpp"

using document_test::compact;
using document_test::verdict;

using namespace std::string_view_literals;

TEST_CASE("document: what RFC 8259 allows is read") {
    const std::string_view good[] = {
        "null",
        "true",
        "false",
        "0",
        "-0",
        "\"\"",
        "[]",
        "{}",
        " \t\r\n0 \t\r\n",
        "[null]",
        // Numbers.
        "-1",
        "10",
        "1234567890123456789012345678901234567890",
        "0.0",
        "-0.0",
        "0.10",
        "1e5",
        "1E5",
        "1e+5",
        "1e-5",
        "0e0",
        "0E+00",
        "1.5e300",
        "-1.5E-300",
        "1e400",
        "1e-400",
        "1e99999999999999999999",
        "[0,-0,0.5,1e1]",
        // Strings.
        "\"a\"",
        "\" \"",
        "\"\x7F\"",
        "\"\\\"\"",
        "\"\\\\\"",
        "\"\\/\"",
        "\"\\b\\f\\n\\r\\t\"",
        "\"\\u0000\"",
        "\"\\u00e9\\u00E9\"",
        "\"\\uFFFF\"",
        "\"\\uD834\\uDD1E\"",
        "\"\\ud800\\udc00\"",
        "\"\\uDBFF\\uDFFF\"",
        "\"\\\\u12\"",
        "\"'\"",
        "\"/\"",
        "\"12345678\"",
        "\"123456789\"",
        // Arrays.
        "[[]]",
        "[1]",
        "[1,2]",
        "[ 1 , 2 ]",
        "[\n1\n,\n2\n]",
        "[[],[],{}]",
        "[[[[[[[[]]]]]]]]",
        "[\"a\",1,true,null,{},[]]",
        "[true,false]",
        // Objects.
        "{\"\":0}",
        "{\"a\":0}",
        "{\"a\":0,\"b\":1}",
        "{ \"a\" : 0 , \"b\" : 1 }",
        "{\"a\":{}}",
        "{\"a\":[]}",
        "{\"a\":0,\"a\":1}",
        "{\"\\u0061\":1}",
        "{\"a\":{\"b\":{\"c\":null}}}",
        "{\"a b\":1}",
        // A byte order mark is skipped.
        "\xEF\xBB\xBFnull",
        "\xEF\xBB\xBF {}",
    };
    for (const std::string_view source : good) {
        CAPTURE(source);
        CHECK(verdict(source) == "good");
    }
}

TEST_CASE("document: what RFC 8259 does not allow is refused") {
    const std::string_view bad[] = {
        // Nothing, or too much.
        "",
        " ",
        "\n",
        "\xEF\xBB\xBF",
        "1 2",
        "{}{}",
        "[]]",
        "{}}",
        "[],",
        "null,",
        "\"a\" \"b\"",
        "]",
        "}",
        ",",
        ":",
        "[[]]]",
        // Literals are whole, lowercase words.
        "nul",
        "nulll",
        "null1",
        "Null",
        "NULL",
        "True",
        "tru",
        "truefalse",
        "undefined",
        "nan",
        "NaN",
        "Infinity",
        "-Infinity",
        "-NaN",
        "None",
        "_",
        "a",
        "true_",
        // Numbers.
        "+1",
        "-",
        "--1",
        "-a",
        "01",
        "-01",
        "00",
        "1.",
        "1.e5",
        ".5",
        "-.5",
        "1e",
        "1E+",
        "1e-",
        "1e+-1",
        "0x10",
        "1_000",
        "1,000",
        "1.2.3",
        "1e5.5",
        "1e1e1",
        "1a",
        "0b1",
        "1 000",
        "\xEF\xBC\x91",
        "2.-3",
        "[-]",
        "[1.]",
        "[0e]",
        "1f",
        "1d",
        "(1)",
        "1/2",
        // Strings.
        "\"",
        "\"a",
        "\"\\",
        "\"\\\"",
        "'a'",
        "`a`",
        "\"\n\"",
        "\"\r\"",
        "\"\t\"",
        "\"\x01\"",
        "\"\x1F\"",
        "\"\\a\"",
        "\"\\'\"",
        "\"\\x41\"",
        "\"\\0\"",
        "\"\\N\"",
        "\"\\U0041\"",
        "\"\\u\"",
        "\"\\u1\"",
        "\"\\u12\"",
        "\"\\u123\"",
        "\"\\u123g\"",
        "\"\\u 123\"",
        "\"\\u-123\"",
        "\"\\u{41}\"",
        "\"\\ \"",
        "\"1234567\n\"",
        "\"12345678\n\"",
        "\"123456789\t\"",
        "\"1234567\x01x\"",
        // Arrays.
        "[",
        "[1",
        "[1,",
        "[1,]",
        "[,1]",
        "[,]",
        "[1,,2]",
        "[1 2]",
        "[1:2]",
        "[1;2]",
        "[1}",
        "[}",
        "[[]",
        "[\"a\" \"b\"]",
        "[1]2",
        "[*]",
        "[...]",
        "[1,\n",
        "[null true]",
        // Objects.
        "{",
        "{\"a\"",
        "{\"a\":",
        "{\"a\":1",
        "{\"a\":1,",
        "{\"a\":1,}",
        "{,}",
        "{,\"a\":1}",
        "{\"a\"}",
        "{\"a\",1}",
        "{\"a\" 1}",
        "{\"a\"::1}",
        "{\"a\":}",
        "{:1}",
        "{1:1}",
        "{a:1}",
        "{'a':1}",
        "{null:1}",
        "{[]:1}",
        "{\"a\":1 \"b\":2}",
        "{\"a\":1;\"b\":2}",
        "{\"a\":1]",
        "{]",
        "{\"a\":1,,}",
        "{\"a\":1,\"b\"}",
        "{\"a\":1 2}",
        "{\"a\"=1}",
        "{\"a\":1:2}",
        "{{}:1}",
        "{\"a\":{}",
        // Comments and other inventions.
        "// c\n1",
        "/* c */ 1",
        "# c\n1",
        "1 // c",
        "1;",
        "[1,/**/2]",
        "<x/>",
        "--- 1",
        "=1",
        "@",
        "$",
        "%",
        "\\u0031",
        "\\",
        "{\"a\":1 /* c */}",
        // Spaces that are none in JSON.
        "\v1",
        "\f1",
        "\xC2\xA0"
        "1",
        "\xE2\x80\x82"
        "1",
        "\xE2\x81\xA0"
        "1",
        "1\xEF\xBB\xBF",
        "\xEF\xBB\xBF\xEF\xBB\xBF"
        "1",
        "\xE2\x80\xA8"
        "1",
        // Binary.
        "\0"sv,
        "1\0"sv,
        "[1\0]"sv,
        "\"a\0b\""sv,
        "\x7F",
        "\x89PNG\r\n",
        "\x7F"
        "ELF",
        "\xFF\xFE"
        "1\0"sv,
        "\0001"sv,
        "\x1B[0m",
        "\xEF\xBB",
        "\xEF\xBB"
        "1",
    };
    for (const std::string_view source : bad) {
        CAPTURE(source);
        CHECK(verdict(source) != "good");
    }
}

TEST_CASE("document: every truncation of a document is refused") {
    const std::string whole =
        R"({"a": [1.5e+3, "x\n\ud834\udd1e\u00e9é", true, null], "b": {"c": -0.0}})";
    REQUIRE(verdict(whole) == "good");
    for (std::size_t size_bytes = 0; size_bytes < whole.size(); ++size_bytes) {
        const std::string part = whole.substr(0, size_bytes);
        CAPTURE(part);
        CHECK(verdict(part) != "good");
    }
}

TEST_CASE("document: an error names line, column, what was expected and what was found") {
    struct Case {
        std::string_view source;
        std::string_view message;
    };
    const Case cases[] = {
        {"", "line 1, column 1: expected a JSON value, found end of file"},
        {"\n\n  ", "line 3, column 3: expected a JSON value, found end of file"},
        {"{\n  \"a\": 1,\n  \"bcd\": 234 x}",
         "line 3, column 14: expected ',' or '}' after a member, found 'x'"},
        {"[1 2]", "line 1, column 4: expected ',' or ']' after an element, found a number"},
        {"[1 \"b\"]", "line 1, column 4: expected ',' or ']' after an element, found a string"},
        {"[1 null]", "line 1, column 4: expected ',' or ']' after an element, found 'null'"},
        {"[1,]", "line 1, column 4: expected a JSON value after ',', found ']'"},
        {"[,", "line 1, column 2: expected a JSON value or ']', found ','"},
        {"{,", "line 1, column 2: expected a member name in double quotes or '}', found ','"},
        {"{\"a\":1,}",
         "line 1, column 8: expected a member name in double quotes after ',', found '}'"},
        {"{'a':1}",
         "line 1, column 2: expected a member name in double quotes or '}', found a single quote"},
        {"{\"a\" 1}", "line 1, column 6: expected ':' after a member name, found a number"},
        {"{\"a\":}", "line 1, column 6: expected a JSON value after ':', found '}'"},
        {"{} []", "line 1, column 4: expected end of file after the JSON value, found '['"},
        {"nul", "line 1, column 1: expected a JSON value, found 'nul'"},
        {"undefinedundefinedundefined",
         "line 1, column 1: expected a JSON value, found 'undefinedundefinedun...'"},
        {"\x89PNG", "line 1, column 1: expected a JSON value, found byte 0x89"},
        {"\0"sv, "line 1, column 1: expected a JSON value, found U+0000"},
        {"\xE2\x80\x8B", "line 1, column 1: expected a JSON value, found U+200B"},
        {"€", "line 1, column 1: expected a JSON value, found '€'"},
        {"01", "line 1, column 2: expected no digit after a leading 0, found '1'"},
        {"-x", "line 1, column 2: expected a digit after '-', found 'x'"},
        {"1.", "line 1, column 3: expected a digit after the decimal point, found end of file"},
        {"1e ", "line 1, column 3: expected a digit in the exponent, found a space"},
        {"\"ab", "line 1, column 4: expected '\"' at the end of the string, found end of file"},
        {"\"a\nb\"",
         "line 1, column 3: expected '\"' before the end of the line, found a line break"},
        {"\"\t\"",
         "line 1, column 2: expected control characters in a string to be escaped, found a tab"},
        {"\"\x01\"",
         "line 1, column 2: expected control characters in a string to be escaped, found U+0001"},
        {"\"\\x\"", "line 1, column 3: expected one of \"\\/bfnrtu after '\\', found 'x'"},
        {"\"\\u12x\"", "line 1, column 6: expected four hexadecimal digits after '\\u', found 'x'"},
        {"\"\\udc00\"",
         "line 1, column 2: expected a high surrogate before a low one, found '\\udc00'"},
        {"\"\\ud800x\"",
         "line 1, column 8: expected the escape of a low surrogate after a high one, "
         "found 'x'"},
        {"\"\\ud800\\u0041\"",
         "line 1, column 8: expected the escape of a low surrogate after a "
         "high one, found '\\u0041'"},
        {"\"a\xC0\"", "line 1, column 3: expected valid UTF-8, found byte 0xC0"},
    };
    for (const Case& expected : cases) {
        CAPTURE(expected.source);
        CHECK(verdict(expected.source) == expected.message);
    }
}

TEST_CASE("document: the first error counts, also before a malformed token") {
    CHECK(verdict("{\"a\" 1, 01}") ==
          "line 1, column 6: expected ':' after a member name, found a number");
    CHECK(verdict("[1 2, \"\x01\"]") ==
          "line 1, column 4: expected ',' or ']' after an element, found a number");
}

TEST_CASE("document: columns count characters and lines end as in any editor") {
    // Two bytes, three, four, and a letter with a combining accent, which is two characters.
    CHECK(verdict("[\"é\" x") ==
          "line 1, column 6: expected ',' or ']' after an element, found 'x'");
    CHECK(verdict("[\"€\" x") ==
          "line 1, column 6: expected ',' or ']' after an element, found 'x'");
    CHECK(verdict("[\"𝄞\" x") ==
          "line 1, column 6: expected ',' or ']' after an element, found 'x'");
    CHECK(verdict("[\"e\xCC\x81\" x") ==
          "line 1, column 7: expected ',' or ']' after an element, found 'x'");
    CHECK(verdict("\xEF\xBB\xBFx") == "line 1, column 1: expected a JSON value, found 'x'");

    CHECK(verdict("\n\nx") == "line 3, column 1: expected a JSON value, found 'x'");
    CHECK(verdict("\r\n\r\nx") == "line 3, column 1: expected a JSON value, found 'x'");
    CHECK(verdict("\r\rx") == "line 3, column 1: expected a JSON value, found 'x'");
    CHECK(verdict("\n\rx") == "line 3, column 1: expected a JSON value, found 'x'");
    CHECK(verdict("1\n") == "good");
}

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
        CHECK(tokens->items[i].kind == expected[i].first);
        CHECK(tokens->items[i].text() == expected[i].second);
        CHECK(tokens->items[i].data >= source.data());
        CHECK(tokens->items[i].data <= source.data() + source.size());
    }
    json::free_tokens(malloc.allocator(), *tokens);
}
