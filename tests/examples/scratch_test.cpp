// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <ostream>
#include <string>

#include "carbide/c_allocator.hpp"
#include "carbide/failing_allocator.hpp"
#include "carbide/statistics_allocator.hpp"
#include "scratch/sorted_words.hpp"

using examples::sorted_words;

namespace {

struct Sorted {
    std::string text;
    std::size_t alloc_count;
};

Sorted sort(std::string_view text) {
    carbide::StatisticsAllocator statistics({.backing = carbide::c_allocator()});
    const auto sorted = sorted_words(statistics.allocator(), text);
    REQUIRE(sorted.has_value());
    CHECK(statistics.live_count() == (sorted->empty() ? 0 : 1));  // The result alone.
    const std::string copy(sorted->begin(), sorted->end());
    statistics.free(*sorted);
    CHECK(statistics.live_count() == 0);
    return {copy, statistics.statistics().alloc_count};
}

std::string repeated(std::string_view word, std::size_t count) {
    std::string text;
    for (std::size_t index = 0; index < count; ++index) text += word;
    return text;
}

}  // namespace

TEST_CASE("example scratch: words are sorted, blanks reduced to one") {
    CHECK(sort("pear apple fig").text == "apple fig pear");
    CHECK(sort("  b   a ").text == "a b");
    CHECK(sort("one").text == "one");
    CHECK(sort("   ").text.empty());
    CHECK(sort("").text.empty());
}

TEST_CASE("example scratch: work on a small text takes nothing but the result from the caller") {
    CHECK(sort("pear apple fig").alloc_count == 1);
    CHECK(sort(repeated("word ", 256)).alloc_count == 1);  // 256 views fill the 4096 bytes.
}

TEST_CASE("example scratch: a text too large for the stack is sorted all the same") {
    CHECK(sort(repeated("word ", 257)).alloc_count == 2);
    CHECK(sort(repeated("b a ", 1000)).text.starts_with("a a a"));
}

TEST_CASE("example scratch: out of memory at any point leaks nothing") {
    carbide::StatisticsAllocator statistics({.backing = carbide::c_allocator()});
    carbide::FailingAllocator failing({.backing = statistics.allocator()});
    const std::string large = repeated("word ", 1000);
    for (const std::size_t index : {0U, 1U}) {
        failing.rearm({.alloc_index = index});
        CHECK(sorted_words(failing.allocator(), large).error() == carbide::OutOfMemory{});
        CHECK(statistics.live_count() == 0);
    }
}
