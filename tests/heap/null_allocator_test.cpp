// SPDX-License-Identifier: MIT
#include "carbide/null_allocator.hpp"

#include <doctest/doctest.h>

#include <span>
#include <string_view>

#include "carbide/c_allocator.hpp"
#include "support/child_process.hpp"

namespace carbide {
namespace {

struct Node {
    int value = 0;
    Node* next = nullptr;
};

TEST_CASE("null allocator: every request for memory is out of memory") {
    NullAllocator null;
    const Allocator handle = null.allocator();
    CHECK(handle.alloc<int>(1).error() == OutOfMemory{});
    CHECK_FALSE(handle.alloc_aligned<int, 4096>(1).has_value());
    CHECK_FALSE(handle.alloc_sentinel<char>(0).has_value());
    CHECK_FALSE(handle.create<Node>().has_value());
    CHECK_FALSE(handle.dupe("text").has_value());
    CHECK(handle.raw_alloc(1, std::align_val_t{1}) == nullptr);
}

TEST_CASE("null allocator: requests for 0 bytes succeed") {
    const Allocator handle = null_allocator();
    const auto empty = handle.alloc<int>(0);
    REQUIRE(empty.has_value());
    CHECK(empty->data() != nullptr);
    CHECK(empty->empty());
    handle.free(*empty);
}

TEST_CASE("null allocator: growing an empty slice fails and leaves it alone") {
    const Allocator handle = null_allocator();
    CHECK_FALSE(handle.realloc(std::span<int>(), 4).has_value());
    CHECK_FALSE(handle.resize(std::span<int>(), 4));
    CHECK_FALSE(handle.remap(std::span<int>(), 4).has_value());
}

TEST_CASE("null allocator: the typed operations on the allocator itself fail as well") {
    NullAllocator null("nothing here");
    CHECK_FALSE(null.alloc<int>(1).has_value());
    CHECK_FALSE(null.create<Node>().has_value());
    CHECK(std::string_view(null.name()) == "nothing here");
}

TEST_CASE("null allocator: the shared instance is one and the same") {
    CHECK(&null_allocator().heap() == &null_allocator().heap());
    CHECK(std::string_view(null_allocator().name()) == "null");
}

TEST_CASE("null allocator: memory of another allocator stops the program") {
    const std::span<int> numbers = c_allocator().must_alloc<int>(4);

    const auto freed = tests::run_in_child([&] { null_allocator().free(numbers); });
    CHECK(freed.trapped());
    CHECK(freed.wrote("carbide: memory of another allocator was freed through a NullAllocator"));

    const auto resized = tests::run_in_child([&] {
        const bool success = null_allocator().resize(numbers, 2);
        static_cast<void>(success);
    });
    CHECK(resized.trapped());
    CHECK(resized.wrote("was resized through a NullAllocator"));

    const auto remapped = tests::run_in_child([&] {
        const auto moved = null_allocator().remap(numbers, 8);
        static_cast<void>(moved);
    });
    CHECK(remapped.trapped());
    CHECK(remapped.wrote("was remapped through a NullAllocator"));

    c_allocator().free(numbers);
}

}  // namespace
}  // namespace carbide
