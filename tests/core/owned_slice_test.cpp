// SPDX-License-Identifier: MIT
#include "carbide/owned_slice.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <numeric>
#include <ostream>
#include <ranges>
#include <string>
#include <string_view>
#include <vector>

#include "support/child_process.hpp"
#include "support/recording_heap.hpp"

using carbide::Allocator;
using carbide::dupe_owned;
using carbide::make_owned_slice;
using carbide::make_owned_slice_zeroed;
using carbide::OutOfMemory;
using carbide::OwnedSlice;
using carbide::Result;
using carbide::tests::RecordingHeap;

namespace {

std::string_view text_of(std::span<const char> text) { return {text.data(), text.size()}; }

OwnedSlice<int> numbers(RecordingHeap& heap, std::size_t count) {
    OwnedSlice<int> slice(heap.allocator().must_alloc<int>(count), heap.allocator());
    std::iota(slice.begin(), slice.end(), 1);
    return slice;
}

int sum(std::span<const int> values) { return std::accumulate(values.begin(), values.end(), 0); }

}  // namespace

TEST_CASE("owned slice: the elements live as long as their owner") {
    RecordingHeap heap;
    {
        Result<OwnedSlice<std::uint16_t>> made =
            make_owned_slice<std::uint16_t>(heap.allocator(), 100);
        REQUIRE(made.has_value());
        std::ranges::fill(*made, std::uint16_t{9});
        CHECK(made->size() == 100);
        CHECK(made->size_bytes() == 200);
        CHECK((*made)[99] == 9);
        CHECK(made->end() - made->begin() == 100);
        CHECK(heap.newest == RecordingHeap::Lent{200, 2});
        CHECK(heap.live.size() == 1);
    }
    CHECK(heap.live.empty());
    CHECK(heap.mistake.empty());
}

TEST_CASE("owned slice: is three words") { CHECK(sizeof(OwnedSlice<char>) == 3 * sizeof(void*)); }

TEST_CASE("owned slice: zeroed elements are zero and undefined ones are the allocator's") {
    RecordingHeap heap;
    const auto zeroed = make_owned_slice_zeroed<int>(heap.allocator(), 50);
    REQUIRE(zeroed.has_value());
    CHECK(std::ranges::all_of(*zeroed, [](int value) { return value == 0; }));
    if (carbide::checked_build) {
        const auto undefined = make_owned_slice<unsigned char>(heap.allocator(), 50);
        REQUIRE(undefined.has_value());
        CHECK(std::ranges::all_of(*undefined, [](unsigned char byte) { return byte == 0xAA; }));
    }
}

TEST_CASE("owned slice: duplicates of elements and of text are independent of their source") {
    RecordingHeap heap;
    std::vector<int> source{1, 2, 3};
    const auto copy = dupe_owned(heap.allocator(), std::span<const int>(source));
    source[0] = 100;
    REQUIRE(copy.has_value());
    CHECK(std::is_same_v<decltype(copy), const Result<OwnedSlice<int>>>);
    CHECK(sum(copy->span()) == 6);

    const auto text = dupe_owned(heap.allocator(), "carbide");
    REQUIRE(text.has_value());
    CHECK(text_of(*text) == "carbide");
}

TEST_CASE("owned slice: every factory says out of memory") {
    RecordingHeap heap;
    heap.can_alloc = false;
    const Allocator allocator = heap.allocator();
    CHECK(make_owned_slice<int>(allocator, 1).error() == OutOfMemory{});
    CHECK(make_owned_slice_zeroed<int>(allocator, 1).error() == OutOfMemory{});
    CHECK(dupe_owned(allocator, "x").error() == OutOfMemory{});
    heap.can_alloc = true;
    CHECK(make_owned_slice<int>(allocator, SIZE_MAX / 2).error() == OutOfMemory{});
    CHECK(make_owned_slice_zeroed<int>(allocator, SIZE_MAX / 2).error() == OutOfMemory{});
    CHECK(heap.live.empty());
}

TEST_CASE("owned slice: zero elements never reach the allocator") {
    RecordingHeap heap;
    {
        const auto slice = make_owned_slice<int>(heap.allocator(), 0);
        REQUIRE(slice.has_value());
        CHECK(slice->empty());
        CHECK(slice->data() != nullptr);
        CHECK(slice->begin() == slice->end());
        const OwnedSlice<int> nothing(heap.allocator());
        CHECK(nothing.empty());
        CHECK(nothing.data() == nullptr);
    }
    CHECK(heap.call_count() == 0);
}

TEST_CASE("owned slice: moving leaves the source empty, with a handle that still allocates") {
    RecordingHeap heap("first");
    OwnedSlice<int> source = numbers(heap, 4);
    OwnedSlice<int> target = std::move(source);
    CHECK(source.empty());  // NOLINT(bugprone-use-after-move): the state is defined.
    CHECK(source.data() == nullptr);
    CHECK(source.allocator().name() == std::string("first"));
    CHECK(sum(target) == 10);
    CHECK(heap.live.size() == 1);
}

TEST_CASE("owned slice: assignment frees the old elements and brings the allocator along") {
    RecordingHeap first("first");
    RecordingHeap second("second");
    OwnedSlice<int> target = numbers(first, 4);
    OwnedSlice<int> source = numbers(second, 2);
    target = std::move(source);
    CHECK(sum(target) == 3);
    CHECK(target.allocator().name() == std::string("second"));
    CHECK(first.live.empty());
    CHECK(second.live.size() == 1);

    OwnedSlice<int>& same = target;
    target = std::move(same);
    CHECK(sum(target) == 3);
    target.reset();
    CHECK(second.live.empty());
    CHECK(first.mistake.empty());
    CHECK(second.mistake.empty());
}

TEST_CASE("owned slice: release hands over, and reset frees once") {
    RecordingHeap heap;
    OwnedSlice<int> owner = numbers(heap, 4);
    const std::span<int> released = owner.release();
    CHECK(owner.empty());
    CHECK(released.size() == 4);
    CHECK(heap.live.size() == 1);
    owner.reset();
    CHECK(heap.live.size() == 1);
    OwnedSlice<int> again(released, heap.allocator());
    again.reset();
    again.reset();
    CHECK(heap.free_count == 1);
    CHECK(heap.mistake.empty());
}

TEST_CASE("owned slice: resize in place keeps address, content and ownership") {
    RecordingHeap heap;
    heap.can_resize = true;
    {
        OwnedSlice<int> slice = numbers(heap, 4);
        const int* const address = slice.data();
        REQUIRE(slice.resize(8));
        CHECK(slice.size() == 8);
        CHECK(slice.data() == address);
        CHECK(sum(slice.span().first(4)) == 10);
        REQUIRE(slice.resize(2));
        CHECK(slice.size() == 2);
        CHECK(sum(slice) == 3);
    }
    CHECK(heap.live.empty());
    CHECK(heap.mistake.empty());
}

TEST_CASE("owned slice: a resize that fails changes nothing") {
    RecordingHeap heap;
    {
        OwnedSlice<int> slice = numbers(heap, 4);
        CHECK_FALSE(slice.resize(5));
        CHECK_FALSE(slice.resize(SIZE_MAX / 2));
        CHECK(slice.size() == 4);
        CHECK(sum(slice) == 10);
    }
    CHECK(heap.live.empty());
    CHECK(heap.mistake.empty());
}

TEST_CASE("owned slice: resize to nothing frees, and the empty owner frees nothing more") {
    RecordingHeap heap;
    {
        OwnedSlice<int> slice = numbers(heap, 4);
        REQUIRE(slice.resize(0));
        CHECK(slice.empty());
        CHECK(heap.live.empty());
        CHECK_FALSE(slice.resize(1));
        REQUIRE(slice.realloc(3).has_value());
        CHECK(slice.size() == 3);
    }
    CHECK(heap.live.empty());
    CHECK(heap.mistake.empty());
}

TEST_CASE("owned slice: realloc keeps the content, whether the memory moves or is copied") {
    RecordingHeap heap;
    bool remaps = false;
    SUBCASE("by a copy") {}
    SUBCASE("by the allocator") { remaps = true; }
    heap.can_remap = remaps;
    {
        OwnedSlice<int> slice = numbers(heap, 4);
        REQUIRE(slice.realloc(1000).has_value());
        CHECK(slice.size() == 1000);
        CHECK(sum(slice.span().first(4)) == 10);
        REQUIRE(slice.realloc(2).has_value());
        CHECK(sum(slice) == 3);
        CHECK(heap.alloc_count == (remaps ? 1 : 3));
        CHECK(heap.live.size() == 1);
    }
    CHECK(heap.live.empty());
    CHECK(heap.mistake.empty());
}

TEST_CASE("owned slice: a realloc that fails changes nothing") {
    RecordingHeap heap;
    {
        OwnedSlice<int> slice = numbers(heap, 4);
        heap.can_alloc = false;
        CHECK(slice.realloc(1000).error() == OutOfMemory{});
        CHECK(slice.realloc(SIZE_MAX).error() == OutOfMemory{});
        CHECK(slice.size() == 4);
        CHECK(sum(slice) == 10);
    }
    CHECK(heap.live.empty());
    CHECK(heap.mistake.empty());
}

TEST_CASE("owned slice: becomes one of const elements, and never the reverse") {
    RecordingHeap heap;
    {
        OwnedSlice<int> changeable = numbers(heap, 4);
        const OwnedSlice<const int> frozen = std::move(changeable);
        CHECK(sum(frozen) == 10);
    }
    CHECK(heap.live.empty());
    CHECK(heap.mistake.empty());
    CHECK(std::is_convertible_v<OwnedSlice<int>, OwnedSlice<const int>>);
    CHECK_FALSE(std::is_constructible_v<OwnedSlice<int>, OwnedSlice<const int>>);
    CHECK_FALSE(std::is_copy_constructible_v<OwnedSlice<int>>);
}

TEST_CASE("owned slice: adopts spans and nothing that merely converts to one") {
    CHECK(std::is_constructible_v<OwnedSlice<int>, std::span<int>, Allocator>);
    CHECK(std::is_constructible_v<OwnedSlice<const int>, std::span<int>, Allocator>);
    CHECK_FALSE(std::is_constructible_v<OwnedSlice<int>, std::span<const int>, Allocator>);
    CHECK_FALSE(std::is_constructible_v<OwnedSlice<int>, std::vector<int>&, Allocator>);
    CHECK_FALSE(std::is_constructible_v<OwnedSlice<int>, std::array<int, 3>&, Allocator>);
    CHECK_FALSE(
        std::is_constructible_v<OwnedSlice<int>, carbide::AlignedSlice<int, 64>, Allocator>);
    CHECK_FALSE(std::is_constructible_v<OwnedSlice<char>, carbide::SentinelSlice<char>, Allocator>);
}

TEST_CASE("owned slice: lends itself as a span and as a contiguous range") {
    CHECK(std::ranges::contiguous_range<OwnedSlice<int>>);
    CHECK(std::ranges::sized_range<const OwnedSlice<int>>);
    CHECK(std::is_convertible_v<OwnedSlice<int>&, std::span<int>>);
    CHECK(std::is_convertible_v<const OwnedSlice<int>&, std::span<const int>>);
    // One that is about to free its elements does not lend them.
    CHECK_FALSE(std::is_convertible_v<OwnedSlice<int>, std::span<int>>);
}

TEST_CASE("owned slice: swap exchanges elements and allocators") {
    RecordingHeap first("first");
    RecordingHeap second("second");
    OwnedSlice<int> left = numbers(first, 4);
    OwnedSlice<int> right(second.allocator());
    swap(left, right);
    CHECK(left.empty());
    CHECK(sum(right) == 10);
    CHECK(left.allocator().name() == std::string("second"));
    CHECK(right.allocator().name() == std::string("first"));
}

#if CARBIDE_CHECKED
TEST_CASE("owned slice: a checked build stops at an index beyond the end") {
    const auto result = carbide::tests::run_in_child([] {
        RecordingHeap heap;
        const OwnedSlice<int> slice = numbers(heap, 4);
        slice[4] = 1;
    });
    CHECK(result.trapped());
    CHECK(result.wrote("carbide: an index beyond the end of an OwnedSlice"));
}
#endif
