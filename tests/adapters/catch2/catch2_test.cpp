// SPDX-License-Identifier: MIT
// Good tests pass, bad ones fail, swept ones fail under the failure sweep only.
#define CATCH_CONFIG_MAIN  // Version 2; with version 3 the library has main.
#include "carbide/testing/catch2.hpp"

#include <thread>

#include "carbide/owned_slice.hpp"

namespace {

using carbide::make_owned_slice;
using carbide::OwnedSlice;
using carbide::testing::allocator;

TEST_CASE("good: it frees what it allocates") {
    const auto numbers = make_owned_slice<int>(allocator(), 10);
    REQUIRE(numbers.has_value());
    const auto more = make_owned_slice<int>(allocator(), 20);
    REQUIRE(more.has_value());
    CHECK(numbers->size() + more->size() == 30);
}

TEST_CASE("good: it frees in another thread") {
    auto numbers = make_owned_slice<int>(allocator(), 10);
    std::thread([&] { numbers = OwnedSlice<int>(allocator()); }).join();
}

TEST_CASE("good: it skips the check") {
    carbide::testing::skip_memory_check();
    static_cast<void>(allocator().alloc<int>(10));
}

TEST_CASE("good: it aborts on purpose") { allocator().free(allocator().must_alloc<int>(10)); }

TEST_CASE("good: sections are passes of their own") {
    const auto numbers = make_owned_slice<int>(allocator(), 10);
    REQUIRE(numbers.has_value());
    SECTION("first") {
        const auto more = make_owned_slice<int>(allocator(), 20);
        REQUIRE(more.has_value());
    }
    SECTION("second") {
        SECTION("inner") { CHECK(numbers->size() == 10); }
        SECTION("other") { CHECK(numbers->size() == 10); }
    }
}

TEST_CASE("bad: it leaks") { static_cast<void>(allocator().alloc<int>(10)); }

TEST_CASE("bad: it frees twice") {
    const auto numbers = allocator().must_alloc<int>(10);
    allocator().free(numbers);
    allocator().free(numbers);
}

TEST_CASE("bad: it leaks where a check ends it") {
    static_cast<void>(allocator().alloc<int>(10));
    REQUIRE(false);
}

TEST_CASE("bad: it leaks in one section") {
    SECTION("frees") {}
    SECTION("leaks") { static_cast<void>(allocator().alloc<int>(10)); }
}

// Correct as long as there is memory.
bool forgets_first_where_second_fails() {
    const auto first = allocator().alloc<int>(10);
    if (!first.has_value()) return false;
    const auto second = allocator().alloc<int>(20);
    if (!second.has_value()) return false;
    allocator().free(*second);
    allocator().free(*first);
    return true;
}

TEST_CASE("swept: it leaks where the second fails") { CHECK(forgets_first_where_second_fails()); }

TEST_CASE("swept: it leaks in one section") {
    SECTION("none") {}
    SECTION("some") { CHECK(forgets_first_where_second_fails()); }
}

TEST_CASE("swept: it crashes where it fails") {
    const auto numbers = make_owned_slice<int>(allocator(), 10);
    volatile int* const first = numbers.has_value() ? numbers->data() : nullptr;
    *first = 1;
}

}  // namespace
