// SPDX-License-Identifier: MIT
#include "carbide/slice.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <ranges>
#include <span>
#include <type_traits>

using carbide::AlignedSlice;
using carbide::SentinelSlice;

TEST_CASE("aligned slice: gives its elements, their number and a range") {
    alignas(64) int numbers[3] = {1, 2, 3};
    const AlignedSlice<int, 64> slice(numbers, 3);
    CHECK(slice.data() == numbers);
    CHECK(slice.size() == 3);
    CHECK_FALSE(slice.empty());
    CHECK(slice[2] == 3);
    CHECK(std::ranges::equal(slice, numbers));
    CHECK(static_cast<std::size_t>(slice.alignment) == 64);
    slice[0] = 9;
    CHECK(numbers[0] == 9);
}

TEST_CASE("aligned slice: the default is empty") {
    const AlignedSlice<int, 64> nothing;
    CHECK(nothing.empty());
    CHECK(nothing.data() == nullptr);
    CHECK(nothing.begin() == nothing.end());
}

TEST_CASE("aligned slice: converts to a span, and to no other alignment") {
    alignas(64) int numbers[3] = {1, 2, 3};
    const AlignedSlice<int, 64> slice(numbers, 3);
    AlignedSlice<int, 64> changeable = slice;
    const std::span<int> view = changeable;
    const std::span<int> from_temporary = AlignedSlice<int, 64>(numbers, 3);
    const std::span<const int> read_only = slice;
    CHECK(view.data() == numbers);
    CHECK(from_temporary.data() == numbers);
    CHECK(read_only.size() == 3);
    CHECK(view.size() == 3);
    CHECK_FALSE(std::is_convertible_v<AlignedSlice<int, 64>, AlignedSlice<int, 32>>);
    CHECK_FALSE(std::is_convertible_v<std::span<int>, AlignedSlice<int, 64>>);
}

TEST_CASE("sentinel slice: its size does not count the sentinel behind it") {
    char text[] = "abc";
    const SentinelSlice<char> slice(text, 3);
    CHECK(slice.size() == 3);
    CHECK_FALSE(slice.empty());
    CHECK(slice.end() - slice.begin() == 3);
    CHECK(*slice.end() == slice.sentinel);
    CHECK(slice[2] == 'c');
    CHECK(std::strlen(slice.c_str()) == 3);
    const std::span<char> view = slice;
    CHECK(view.size() == 3);
}

TEST_CASE("sentinel slice: the sentinel is part of the type") {
    int numbers[] = {1, 2, -1};
    const SentinelSlice<int, -1> slice(numbers, 2);
    CHECK(*slice.end() == -1);
    CHECK(decltype(slice)::sentinel == -1);
    CHECK_FALSE(std::is_convertible_v<SentinelSlice<int, -1>, SentinelSlice<int, 0>>);
    const SentinelSlice<int, -1> nothing;
    CHECK(nothing.empty());
    CHECK(nothing.data() == nullptr);
}

TEST_CASE("slices: are views that copy as two words") {
    CHECK(std::is_trivially_copyable_v<AlignedSlice<int, 64>>);
    CHECK(std::is_trivially_copyable_v<SentinelSlice<char>>);
    CHECK(sizeof(AlignedSlice<int, 64>) == 2 * sizeof(void*));
    CHECK(sizeof(SentinelSlice<char>) == 2 * sizeof(void*));
    CHECK(std::ranges::contiguous_range<AlignedSlice<int, 64>>);
    CHECK(std::ranges::contiguous_range<SentinelSlice<char>>);
}
