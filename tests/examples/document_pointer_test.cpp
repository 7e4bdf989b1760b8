// SPDX-License-Identifier: MIT
#include "document/json_pointer.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "examples/document_support.hpp"

using document_test::value_at;
using document_test::verdict;

TEST_CASE("json pointer: the examples of RFC 6901 point where it says") {
    constexpr std::string_view source = R"({
        "foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4,
        "i\\j": 5, "k\"l": 6, " ": 7, "m~n": 8 })";
    CHECK(value_at(source, "/foo") == R"(["bar","baz"])");
    CHECK(value_at(source, "/foo/0") == R"("bar")");
    CHECK(value_at(source, "/") == "0");
    CHECK(value_at(source, "/a~1b") == "1");
    CHECK(value_at(source, "/c%d") == "2");
    CHECK(value_at(source, "/e^f") == "3");
    CHECK(value_at(source, "/g|h") == "4");
    CHECK(value_at(source, "/i\\j") == "5");
    CHECK(value_at(source, "/k\"l") == "6");
    CHECK(value_at(source, "/ ") == "7");
    CHECK(value_at(source, "/m~0n") == "8");
    CHECK(value_at("[1, [2]]", "") == "[1,[2]]");
}

TEST_CASE("json pointer: what is not there is not found, with the reason") {
    constexpr std::string_view source = R"({"a":[1,{"b":"text"}],"n":null,"~01":1,"é":2})";
    CHECK(value_at(source, "/x") == "at '', an object: it has no member of that name");
    CHECK(value_at(source, "/aa") == "at '', an object: it has no member of that name");
    CHECK(value_at(source, "/") == "at '', an object: it has no member of that name");
    CHECK(value_at(source, "/a/2") == "at '/a', an array: it has no element of that index");
    CHECK(value_at(source, "/a/-") == "at '/a', an array: it has no element of that index");
    CHECK(value_at(source, "/a/99999999999999999999999") ==
          "at '/a', an array: it has no element of that index");
    for (const std::string_view reference : {"/a/01", "/a/+1", "/a/", "/a/1x", "/a/1.0", "/a/-1"}) {
        CAPTURE(reference);
        CHECK(value_at(source, reference) ==
              "at '/a', an array: an index is 0 or a number without leading zeros");
    }
    CHECK(value_at(source, "/a/1/b/c") == "at '/a/1/b', a string: it has no members or elements");
    CHECK(value_at(source, "/n/0") == "at '/n', null: it has no members or elements");
    CHECK(value_at(source, "/~001") == "1");
    CHECK(value_at(source, "/\xC3\xA9") == "2");
    CHECK(value_at("[[1,2],[3,[4,5]]]", "/1/1/0") == "4");
    CHECK(value_at("[0,1,2,3,4,5,6,7,8,9,10,11]", "/11") == "11");
}

TEST_CASE("json pointer: of several members with one name the last counts") {
    CHECK(value_at(R"({"a":1,"b":2,"a":{"c":3}})", "/a/c") == "3");
    CHECK(value_at(R"({"a":{"c":3},"a":1})", "/a/c") ==
          "at '/a', a number: it has no members or elements");
}

TEST_CASE("json pointer: a malformed one is an error of its own, even for a bad document") {
    const auto error_of = [](std::string_view pointer) {
        const std::string_view pointers[] = {"/good", pointer};
        return verdict("{", {.pointers = pointers});
    };
    CHECK(error_of("a") == "JSON Pointer 2 is malformed: expected '/' at its beginning");
    CHECK(error_of("#/a") == "JSON Pointer 2 is malformed: expected '/' at its beginning");
    CHECK(error_of("/a~") == "JSON Pointer 2 is malformed: expected '0' or '1' after '~'");
    CHECK(error_of("/~2") == "JSON Pointer 2 is malformed: expected '0' or '1' after '~'");
    CHECK(error_of("/~~0") == "JSON Pointer 2 is malformed: expected '0' or '1' after '~'");
    CHECK(error_of("/\xFF") == "JSON Pointer 2 is malformed: expected valid UTF-8");

    const std::string_view pointers[] = {"x"};
    const auto result = json::process_document(carbide::c_allocator(), "1", {.pointers = pointers});
    REQUIRE(!result.has_value());
    CHECK(result.error().kind == json::DocumentError::Kind::malformed_pointer);
    CHECK(result.error().pointer_index == 0);
}
