// SPDX-License-Identifier: MIT
#include "document/parse.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "examples/document_support.hpp"

using document_test::verdict;

using namespace std::string_view_literals;

TEST_CASE("document: what RFC 8259 allows is read") {
    const std::string_view good[] = {
        // clang-format off
        "null", "true", "false", "0", "-0", "\"\"", "[]", "{}", " \t\r\n0 \t\r\n", "[null]",
        // Numbers.
        "-1", "10", "1234567890123456789012345678901234567890", "0.0", "-0.0", "0.10", "1e5", "1E5",
        "1e+5", "1e-5", "0e0", "0E+00", "1.5e300", "-1.5E-300", "1e400", "1e-400",
        "1e99999999999999999999", "[0,-0,0.5,1e1]",
        // Strings.
        "\"a\"", "\" \"", "\"\x7F\"", "\"\\\"\"", "\"\\\\\"", "\"\\/\"", "\"\\b\\f\\n\\r\\t\"",
        "\"\\u0000\"", "\"\\u00e9\\u00E9\"", "\"\\uFFFF\"", "\"\\uD834\\uDD1E\"",
        "\"\\ud800\\udc00\"", "\"\\uDBFF\\uDFFF\"", "\"\\\\u12\"", "\"'\"", "\"/\"", "\"12345678\"",
        "\"123456789\"",
        // Arrays.
        "[[]]", "[1]", "[1,2]", "[ 1 , 2 ]", "[\n1\n,\n2\n]", "[[],[],{}]", "[[[[[[[[]]]]]]]]",
        "[\"a\",1,true,null,{},[]]", "[true,false]",
        // Objects.
        "{\"\":0}", "{\"a\":0}", "{\"a\":0,\"b\":1}", "{ \"a\" : 0 , \"b\" : 1 }", "{\"a\":{}}",
        "{\"a\":[]}", "{\"a\":0,\"a\":1}", "{\"\\u0061\":1}", "{\"a\":{\"b\":{\"c\":null}}}",
        "{\"a b\":1}",
        // A byte order mark is skipped.
        "\xEF\xBB\xBFnull", "\xEF\xBB\xBF {}",
        // clang-format on
    };
    for (const std::string_view source : good) {
        CAPTURE(source);
        CHECK(verdict(source) == "good");
    }
}

TEST_CASE("document: what RFC 8259 does not allow is refused") {
    const std::string_view bad[] = {
        // clang-format off
        // Nothing, or too much.
        "", " ", "\n", "\xEF\xBB\xBF", "1 2", "{}{}", "[]]", "{}}", "[],", "null,", "\"a\" \"b\"",
        "]", "}", ",", ":", "[[]]]",
        // Literals are whole, lowercase words.
        "nul", "nulll", "null1", "Null", "NULL", "True", "tru", "truefalse", "undefined", "nan",
        "NaN", "Infinity", "-Infinity", "-NaN", "None", "_", "a", "true_",
        // Numbers.
        "+1", "-", "--1", "-a", "01", "-01", "00", "1.", "1.e5", ".5", "-.5", "1e", "1E+", "1e-",
        "1e+-1", "0x10", "1_000", "1,000", "1.2.3", "1e5.5", "1e1e1", "1a", "0b1", "1 000",
        "\xEF\xBC\x91", "2.-3", "[-]", "[1.]", "[0e]", "1f", "1d", "(1)", "1/2",
        // Strings.
        "\"", "\"a", "\"\\", "\"\\\"", "'a'", "`a`", "\"\n\"", "\"\r\"", "\"\t\"", "\"\x01\"",
        "\"\x1F\"", "\"\\a\"", "\"\\'\"", "\"\\x41\"", "\"\\0\"", "\"\\N\"", "\"\\U0041\"",
        "\"\\u\"", "\"\\u1\"", "\"\\u12\"", "\"\\u123\"", "\"\\u123g\"", "\"\\u 123\"",
        "\"\\u-123\"", "\"\\u{41}\"", "\"\\ \"", "\"1234567\n\"", "\"12345678\n\"",
        "\"123456789\t\"", "\"1234567\x01x\"",
        // Arrays.
        "[", "[1", "[1,", "[1,]", "[,1]", "[,]", "[1,,2]", "[1 2]", "[1:2]", "[1;2]", "[1}", "[}",
        "[[]", "[\"a\" \"b\"]", "[1]2", "[*]", "[...]", "[1,\n", "[null true]",
        // Objects.
        "{", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,", "{\"a\":1,}", "{,}", "{,\"a\":1}",
        "{\"a\"}", "{\"a\",1}", "{\"a\" 1}", "{\"a\"::1}", "{\"a\":}", "{:1}", "{1:1}", "{a:1}",
        "{'a':1}", "{null:1}", "{[]:1}", "{\"a\":1 \"b\":2}", "{\"a\":1;\"b\":2}", "{\"a\":1]",
        "{]", "{\"a\":1,,}", "{\"a\":1,\"b\"}", "{\"a\":1 2}", "{\"a\"=1}", "{\"a\":1:2}", "{{}:1}",
        "{\"a\":{}",
        // Comments and other inventions.
        "// c\n1", "/* c */ 1", "# c\n1", "1 // c", "1;", "[1,/**/2]", "<x/>", "--- 1", "=1", "@",
        "$", "%", "\\u0031", "\\", "{\"a\":1 /* c */}",
        // Spaces that are none in JSON.
        "\v1", "\f1", "\xC2\xA0\x31", "\xE2\x80\x82\x31", "\xE2\x81\xA0\x31", "1\xEF\xBB\xBF",
        "\xEF\xBB\xBF\xEF\xBB\xBF\x31", "\xE2\x80\xA8\x31",
        // Binary.
        "\0"sv, "1\0"sv, "[1\0]"sv, "\"a\0b\""sv, "\x7F", "\x89PNG\r\n", "\x7F\x45LF",
        "\xFF\xFE\x31\0"sv, "\0001"sv, "\x1B[0m", "\xEF\xBB", "\xEF\xBB\x31",
        // clang-format on
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
