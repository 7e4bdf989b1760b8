// SPDX-License-Identifier: MIT
#include "document/document.hpp"

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "carbide/failing_allocator.hpp"
#include "carbide/limit_allocator.hpp"
#include "document/process_document.hpp"
#include "examples/document_support.hpp"

using document_test::CheckedMalloc;
using json::ValueKind;

namespace {

constexpr std::string_view rich_source = R"({
  "name": "caf\u00e9",
  "list": [1, -2.5e3, {"name": "x", "deep": [[[]]]}, "\n", true, false, null],
  "empty": {},
  "name": "again"
})";

json::Document process(carbide::Allocator backing, std::string_view source,
                       const json::DocumentOptions& options = {}) {
    auto document = json::process_document(backing, source, options);
    REQUIRE(document.has_value());
    return *std::move(document);
}

// Everything that a document shows, as a text.
std::string shown(const json::Document& document) {
    std::string text = std::to_string(document.counts().values()) + " values, depth " +
                       std::to_string(document.counts().depth) + ", duplicates " +
                       std::to_string(document.counts().duplicate_members);
    for (const json::KeyCount& key : document.keys()) {
        text += ", " + std::string(key.key) + "=" + std::to_string(key.count);
    }
    for (const json::PointerAnswer& answer : document.answers()) {
        text += ", " + std::string(answer.pointer) + ":" + std::string(answer.json) + "@" +
                std::string(answer.resolved);
    }
    return text;
}

}  // namespace

TEST_CASE("document: values are counted by type, members by object") {
    CheckedMalloc malloc;
    const json::Document document = process(malloc.allocator(), rich_source);
    const json::Counts& counts = document.counts();
    CHECK(counts.of(ValueKind::object) == 3);
    CHECK(counts.of(ValueKind::array) == 4);
    CHECK(counts.of(ValueKind::string) == 4);
    CHECK(counts.of(ValueKind::number) == 2);
    CHECK(counts.of(ValueKind::true_literal) == 1);
    CHECK(counts.of(ValueKind::false_literal) == 1);
    CHECK(counts.of(ValueKind::null) == 1);
    CHECK(counts.values() == 16);
    CHECK(counts.members == 6);
    CHECK(counts.duplicate_members == 1);
    CHECK(counts.depth == 6);
}

TEST_CASE("document: depth counts the containers around the innermost value") {
    const auto depth_of = [](std::string_view source) {
        CheckedMalloc malloc;
        return process(malloc.allocator(), source).counts().depth;
    };
    CHECK(depth_of("1") == 0);
    CHECK(depth_of("[]") == 1);
    CHECK(depth_of("{\"a\":1}") == 1);
    CHECK(depth_of("[[],[[]],[]]") == 3);
    CHECK(depth_of("[[[]],[[]],1]") == 3);
    CHECK(depth_of("{\"a\":{},\"b\":{\"c\":[{}]},\"d\":[]}") == 4);
}

TEST_CASE("document: keys come by frequency, and equally frequent ones in order") {
    CheckedMalloc malloc;
    const json::Document document = process(
        malloc.allocator(), R"([{"b":0,"a":0},{"a":{"c":0,"\u0061":0,"":0}},{"z":0,"b":0}])");
    CHECK(shown(document) == "12 values, depth 3, duplicates 0, a=3, b=2, =1, c=1, z=1");
}

TEST_CASE("document: a thousand different keys are told apart") {
    std::string source = "{";
    std::map<std::string, std::size_t> expected;
    for (unsigned i = 0; i < 5000; ++i) {
        const std::string key = "key" + std::to_string(i * 7919 % 1000);
        ++expected[key];
        source += (i == 0 ? "\"" : ",\"") + key + "\":0";
    }
    source += "}";
    CheckedMalloc malloc;
    const json::Document document = process(malloc.allocator(), source);
    REQUIRE(document.keys().size() == 1000);
    for (const json::KeyCount& key : document.keys()) {
        CHECK(expected[std::string(key.key)] == key.count);
    }
    CHECK(document.counts().duplicate_members == 4000);
}

TEST_CASE("document: a repeated name is a duplicate in its own object only") {
    const auto duplicates_of = [](std::string_view source) {
        CheckedMalloc malloc;
        return process(malloc.allocator(), source).counts().duplicate_members;
    };
    CHECK(duplicates_of(R"({"a":0,"a":0,"a":0})") == 2);
    CHECK(duplicates_of(R"([{"a":0},{"a":0}])") == 0);
    CHECK(duplicates_of(R"({"a":{"a":{"a":0}}})") == 0);
    CHECK(duplicates_of(R"({"a":{"a":0},"a":{"a":0,"a":0}})") == 2);
    CHECK(duplicates_of(R"({"a":0,"\u0061":0})") == 1);
}

TEST_CASE("document: it outlives its source, its pointers and the arena") {
    CheckedMalloc malloc;
    std::string source(rich_source);
    std::string found = "/list/2";
    std::string lost = "/list/9/x";
    std::string_view pointers[] = {found, lost};
    const json::Document document = process(malloc.allocator(), source, {.pointers = pointers});
    source.assign(source.size(), '!');
    found.assign(found.size(), '!');
    lost.assign(lost.size(), '!');
    CHECK(shown(document) ==
          "16 values, depth 6, duplicates 1, name=3, deep=1, empty=1, list=1, "
          "/list/2:{\"name\":\"x\",\"deep\":[[[]]]}@/list/2, /list/9/x:@/list");
}

TEST_CASE("document: it moves and does not copy") {
    static_assert(!std::is_copy_constructible_v<json::Document>);
    static_assert(!std::is_copy_assignable_v<json::Document>);
    static_assert(std::is_nothrow_move_constructible_v<json::Document>);
    CheckedMalloc malloc;
    json::Document first = process(malloc.allocator(), R"({"a":1})");
    json::Document second = process(malloc.allocator(), R"({"b":[2]})");
    const json::Document third = std::move(first);
    CHECK(shown(third) == "2 values, depth 1, duplicates 0, a=1");
    first = std::move(second);
    CHECK(shown(first) == "3 values, depth 2, duplicates 0, b=1");
}

TEST_CASE("document: it holds three allocations, and none where there is nothing to hold") {
    carbide::StatisticsAllocator counted({.backing = carbide::c_allocator()});
    const std::string_view pointers[] = {"/a"};
    const json::Document full = process(counted.allocator(), R"({"a":1})", {.pointers = pointers});
    CHECK(counted.live_count() == 3);
    const json::Document empty = process(counted.allocator(), "1");
    CHECK(counted.live_count() == 3);
}

TEST_CASE("document: an error is a value that programs can look into") {
    const auto result = json::process_document(carbide::c_allocator(), "[\n 1,\n x]");
    REQUIRE(!result.has_value());
    const json::DocumentError error = result.error();
    CHECK(error.kind == json::DocumentError::Kind::syntax);
    CHECK(error.position == json::Position{3, 2});
    CHECK(error.expected == "a JSON value after ','");
    CHECK(error.found.view() == "'x'");

    const json::DocumentError no_memory = carbide::OutOfMemory{};
    CHECK(no_memory.kind == json::DocumentError::Kind::out_of_memory);
    CHECK(no_memory.message().view() == "out of memory");
}

TEST_CASE("document: running out of memory at any point is an error that leaks nothing") {
    using Process = decltype(&json::process_document);
    using Repeat = carbide::FailingAllocator::Repeat;
    const std::string_view pointers[] = {"/list", "/nowhere", ""};
    const json::DocumentOptions options{.pointers = pointers};
    const std::string expected = shown(process(carbide::c_allocator(), rich_source, options));

    for (const Process run : {&json::process_document, &json::process_document_piecewise}) {
        for (const Repeat repeat : {Repeat::once, Repeat::from_there_on}) {
            std::size_t failed_count = 0;
            for (std::size_t index = 0;; ++index) {
                CheckedMalloc malloc;
                carbide::FailingAllocator failing({.backing = malloc.allocator(),
                                                   .alloc_index = index,
                                                   .resize_index = index,
                                                   .repeat = repeat});
                const auto result = run(failing.allocator(), rich_source, options);
                if (result.has_value()) {
                    CHECK(shown(*result) == expected);  // The failure was made good.
                } else {
                    CHECK(result.error().kind == json::DocumentError::Kind::out_of_memory);
                    ++failed_count;
                }
                if (!failing.has_induced_failure()) break;
            }
            CHECK(failed_count >= 3);  // At least those of the document itself.
        }
    }
}

TEST_CASE("document: bad JSON leaks nothing, wherever memory fails on the way to it") {
    constexpr std::string_view source = R"({"a":["\u0041",{"b":1,"c":[2,3,x)";
    for (std::size_t index = 0; index < 60; ++index) {
        CheckedMalloc malloc;
        carbide::FailingAllocator failing({.backing = malloc.allocator(), .alloc_index = index});
        const auto result = json::process_document_piecewise(failing.allocator(), source);
        REQUIRE(!result.has_value());
        const bool out_of_memory = result.error().kind == json::DocumentError::Kind::out_of_memory;
        // The first request is a guess at the number of tokens, which may fail without harm.
        CHECK(out_of_memory == (failing.has_induced_failure() && index != 0));
    }
}

TEST_CASE("document: a limit is kept, and too small a one is a clean error") {
    CheckedMalloc malloc;
    carbide::LimitAllocator limited({.backing = malloc.allocator(), .limit_bytes = 600});
    const auto result = json::process_document(limited.allocator(), rich_source);
    REQUIRE(!result.has_value());
    CHECK(result.error().kind == json::DocumentError::Kind::out_of_memory);
    CHECK(limited.used_bytes() == 0);
    CHECK(limited.peak_bytes() <= 600);
}

TEST_CASE("document: an arena takes a handful of allocations where malloc takes two a value") {
    std::string source = "[0";
    for (int i = 1; i < 10'000; ++i) source += "," + std::to_string(i);
    source += "]";
    carbide::StatisticsAllocator arena({.backing = carbide::c_allocator()});
    carbide::StatisticsAllocator piecewise({.backing = carbide::c_allocator()});
    REQUIRE(json::process_document(arena.allocator(), source).has_value());
    REQUIRE(json::process_document_piecewise(piecewise.allocator(), source).has_value());
    CHECK(arena.statistics().alloc_count < 20);
    CHECK(piecewise.statistics().alloc_count > 20'000);
}
