// SPDX-License-Identifier: MIT
#include "document/error.hpp"

#include <doctest/doctest.h>

#include <string_view>

#include "examples/document_support.hpp"

using document_test::verdict;

using namespace std::string_view_literals;

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
