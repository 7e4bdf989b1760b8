// SPDX-License-Identifier: MIT
#include "document/growing_array.hpp"

#include <doctest/doctest.h>

#include "carbide/arena_allocator.hpp"
#include "carbide/failing_allocator.hpp"
#include "examples/document_support.hpp"

using document_test::CheckedMalloc;

TEST_CASE("growing array: a failed append keeps the elements") {
    CheckedMalloc malloc;
    carbide::FailingAllocator failing(
        {.backing = malloc.allocator(), .alloc_index = 1, .resize_index = 0});
    json::GrowingArray<int> array(failing.allocator());
    for (int i = 0; i < 16; ++i) REQUIRE(array.append(i).has_value());
    CHECK(!array.append(16).has_value());
    REQUIRE(array.items().size() == 16);
    CHECK(array.items()[15] == 15);
    REQUIRE(array.append(16).has_value());

    const auto taken = array.take();
    REQUIRE(taken.has_value());
    REQUIRE(taken->size() == 17);
    CHECK((*taken)[16] == 16);
    CHECK(array.items().empty());
    malloc.allocator().free(*taken);
}

TEST_CASE("growing array: in an arena it grows in place and gives the rest back") {
    CheckedMalloc malloc;
    carbide::ArenaAllocator arena({.backing = malloc.allocator(), .first_chunk_bytes = 8192});
    json::GrowingArray<int> array(arena.allocator());
    for (int i = 0; i < 100; ++i) REQUIRE(array.append(i).has_value());
    const auto taken = array.take();
    REQUIRE(taken.has_value());
    CHECK(arena.used_bytes() == 100 * sizeof(int));
}
