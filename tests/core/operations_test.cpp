// SPDX-License-Identifier: MIT
#include "carbide/operations.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <memory>
#include <numeric>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "carbide/allocator.hpp"
#include "support/bump_heap.hpp"
#include "support/child_process.hpp"
#include "support/counted.hpp"
#include "support/recording_heap.hpp"

using carbide::Allocator;
using carbide::OutOfMemory;
using carbide::Result;
using carbide::tests::BumpHeap;
using carbide::tests::Counted;
using carbide::tests::RecordingHeap;
using carbide::tests::run_in_child;

namespace {

struct Point {
    int x;
    int y;
};

struct alignas(64) CacheLine {
    std::byte bytes[64];
};

template <class T>
bool is_aligned(const T* memory, std::size_t alignment_bytes) {
    return reinterpret_cast<std::uintptr_t>(memory) % alignment_bytes == 0;
}

std::string_view text_of(std::span<const char> text) { return {text.data(), text.size()}; }

// Every count whose size overflows, or is more than any memory.
template <class T>
std::vector<std::size_t> impossible_counts() {
    std::vector<std::size_t> counts{SIZE_MAX, SIZE_MAX - 1, SIZE_MAX / 2 + 1, SIZE_MAX / sizeof(T)};
    if (sizeof(T) > 1) {
        counts.push_back(SIZE_MAX / sizeof(T) + 1);  // Wraps to a small size.
        counts.push_back(SIZE_MAX / sizeof(T) + 2);
        counts.push_back(SIZE_MAX / sizeof(T) * 2);
    }
    return counts;
}

template <class T>
concept Allocatable = requires(Allocator allocator) { allocator.alloc<T>(1); };
template <class T>
concept Dupable = requires(Allocator allocator, std::span<T> slice) { allocator.dupe(slice); };
template <class T>
concept Growable = requires(Allocator allocator, std::span<T> slice) {
    allocator.realloc(slice, 1);
    allocator.remap(slice, 1);
    allocator.resize(slice, 1);
};

struct NeedsConstructor {
    NeedsConstructor() : value(1) {}
    NeedsConstructor(const NeedsConstructor& other) : value(other.value + 1) {}
    ~NeedsConstructor() = default;
    int value;
};

}  // namespace

TEST_CASE_TEMPLATE("operations: alloc asks for the size and alignment of its elements", T, char,
                   std::uint16_t, int, double, void*, Point, CacheLine) {
    RecordingHeap heap;
    const Allocator allocator = heap.allocator();
    const Result<std::span<T>> slice = allocator.alloc<T>(7);
    REQUIRE(slice.has_value());
    CHECK(slice->size() == 7);
    CHECK(is_aligned(slice->data(), alignof(T)));
    CHECK(heap.newest == RecordingHeap::Lent{7 * sizeof(T), alignof(T)});
    allocator.free(*slice);
    CHECK(heap.live.empty());
    CHECK(heap.mistake.empty());
}

TEST_CASE_TEMPLATE("operations: a count whose size overflows is out of memory", T, char,
                   std::uint16_t, int, Point, CacheLine) {
    BumpHeap<256> heap;
    const Allocator allocator = heap.allocator();
    for (const std::size_t count : impossible_counts<T>()) {
        CAPTURE(count);
        CHECK(allocator.alloc<T>(count).error() == OutOfMemory{});
        CHECK(allocator.alloc_zeroed<T>(count).error() == OutOfMemory{});
        CHECK((allocator.alloc_aligned<T, 64>(count).error() == OutOfMemory{}));
        const std::span<T> small = allocator.must_alloc<T>(1);
        CHECK_FALSE(allocator.resize(small, count));
        CHECK_FALSE(allocator.remap(small, count).has_value());
        CHECK(allocator.realloc(small, count).error() == OutOfMemory{});
        allocator.free(small);
    }
    CHECK(heap.used_bytes() == 0);
}

TEST_CASE("operations: a sentinel counts where sizes overflow") {
    BumpHeap<256> heap;
    const Allocator allocator = heap.allocator();
    for (const std::size_t count : {SIZE_MAX, SIZE_MAX - 1, SIZE_MAX / 4, SIZE_MAX / 4 - 1}) {
        CAPTURE(count);
        CHECK(allocator.alloc_sentinel<int>(count).error() == OutOfMemory{});
    }
    CHECK(allocator.alloc_sentinel<char>(256).error() == OutOfMemory{});
    CHECK(allocator.alloc_sentinel<char>(255).has_value());
}

TEST_CASE("operations: zero elements succeed without the allocator, and may be freed") {
    RecordingHeap heap;
    heap.can_alloc = false;
    const Allocator allocator = heap.allocator();
    const std::span<CacheLine> slice = allocator.alloc<CacheLine>(0).value();
    CHECK(slice.empty());
    CHECK(slice.data() != nullptr);
    CHECK(is_aligned(slice.data(), 64));
    CHECK(allocator.alloc_zeroed<int>(0)->empty());
    CHECK(is_aligned(allocator.alloc_aligned<int, 4096>(0)->data(), 4096));
    CHECK(allocator.dupe(std::span<const int>())->empty());
    CHECK(allocator.must_alloc<int>(0).empty());
    allocator.free(slice);
    allocator.free(slice);
    allocator.free(std::span<int>());
    allocator.free(carbide::AlignedSlice<int, 64>());
    allocator.free(carbide::SentinelSlice<char>());
    CHECK(heap.call_count() == 0);
}

TEST_CASE("operations: out of memory leaves nothing allocated") {
    RecordingHeap heap;
    heap.can_alloc = false;
    Counted::live = 0;
    const Allocator allocator = heap.allocator();
    CHECK_FALSE(allocator.alloc<int>(1).has_value());
    CHECK_FALSE(allocator.alloc_zeroed<int>(1).has_value());
    CHECK_FALSE(allocator.alloc_aligned<int, 32>(1).has_value());
    CHECK_FALSE(allocator.alloc_sentinel<int>(0).has_value());
    CHECK_FALSE(allocator.create<Counted>().has_value());
    CHECK_FALSE(allocator.dupe("text").has_value());
    CHECK_FALSE(allocator.dupe_z("").has_value());
    CHECK(heap.alloc_count == 7);
    CHECK(heap.live.empty());
    CHECK(Counted::live == 0);
}

TEST_CASE("operations: aligned slices keep their alignment until they are freed") {
    RecordingHeap heap;
    const Allocator allocator = heap.allocator();
    const auto slice = allocator.alloc_aligned<std::uint16_t, 256>(5).value();
    CHECK(slice.size() == 5);
    CHECK(is_aligned(slice.data(), 256));
    CHECK(heap.newest == RecordingHeap::Lent{10, 256});
    allocator.free(slice);
    CHECK(heap.live.empty());
    CHECK(heap.mistake.empty());
}

TEST_CASE("operations: sentinel slices end with the sentinel and free it, too") {
    RecordingHeap heap;
    const Allocator allocator = heap.allocator();
    const auto numbers = allocator.alloc_sentinel<int, -1>(3).value();
    CHECK(numbers.size() == 3);
    CHECK(*numbers.end() == -1);
    CHECK(heap.newest.size_bytes == 16);
    allocator.free(numbers);

    const auto empty = allocator.alloc_sentinel<int, -1>(0).value();
    CHECK(empty.empty());
    CHECK(*empty.end() == -1);
    CHECK(heap.newest.size_bytes == 4);
    allocator.free(empty);
    CHECK(heap.live.empty());
    CHECK(heap.mistake.empty());
}

TEST_CASE("operations: zeroed memory is zero even where there was something before") {
    BumpHeap<256> heap;
    const Allocator allocator = heap.allocator();
    const std::span<std::uint64_t> before = allocator.must_alloc<std::uint64_t>(32);
    std::ranges::fill(before, ~std::uint64_t{0});
    allocator.free(before);
    const std::span<std::uint64_t> zeroed = allocator.alloc_zeroed<std::uint64_t>(32).value();
    CHECK(zeroed.data() == before.data());
    CHECK(std::ranges::all_of(zeroed, [](std::uint64_t value) { return value == 0; }));
}

TEST_CASE("operations: create constructs from its arguments, and destroy ends what it made") {
    Counted::live = 0;
    RecordingHeap heap;
    const Allocator allocator = heap.allocator();
    Counted* const counted = allocator.create<Counted>(5).value();
    CHECK(counted->value == 5);
    CHECK(Counted::live == 1);
    allocator.destroy(counted);
    CHECK(Counted::live == 0);

    auto* const pointer = allocator.create<std::unique_ptr<int>>(std::make_unique<int>(6)).value();
    CHECK(**pointer == 6);
    allocator.destroy(pointer);

    const Point* const point = allocator.create<Point>(1, 2).value();
    CHECK(point->y == 2);
    allocator.destroy(point);
    const Point* const prefix = allocator.create<Point>(3).value();
    CHECK(prefix->x == 3);
    CHECK(prefix->y == 0);
    allocator.destroy(prefix);
    const int* const value = allocator.create<int>().value();
    CHECK(*value == 0);
    allocator.destroy(value);
    allocator.destroy(static_cast<Counted*>(nullptr));
    CHECK(heap.live.empty());
    CHECK(heap.mistake.empty());
}

TEST_CASE("operations: create takes over-aligned types") {
    RecordingHeap heap;
    const Allocator allocator = heap.allocator();
    CacheLine* const line = allocator.create<CacheLine>().value();
    CHECK(is_aligned(line, 64));
    allocator.destroy(line);
    CHECK(heap.mistake.empty());
}

TEST_CASE("operations: a constructor that throws gives its memory back") {
    RecordingHeap heap;
    BumpHeap<64> window;
    CHECK_THROWS_AS(static_cast<void>(heap.allocator().create<carbide::tests::Throwing>()), int);
    CHECK_THROWS_AS(static_cast<void>(heap.allocator().must_create<carbide::tests::Throwing>()),
                    int);
    CHECK(heap.alloc_count == 2);
    CHECK(heap.live.empty());
    CHECK(heap.mistake.empty());
    CHECK_THROWS_AS(static_cast<void>(window.allocator().create<carbide::tests::Throwing>()), int);
    CHECK(window.used_bytes() == 0);
}

TEST_CASE("operations: a constructor that might throw and does not keeps its memory") {
    RecordingHeap heap;
    const Allocator allocator = heap.allocator();
    auto* const text = allocator.create<std::string>(std::size_t{100}, 'x').value();
    CHECK(heap.live.size() == 1);
    CHECK(*text == std::string(100, 'x'));
    allocator.destroy(text);
    CHECK(heap.live.empty());
    CHECK(heap.mistake.empty());
}

TEST_CASE("operations: create is noexcept just where the constructor is") {
    RecordingHeap heap;
    const Allocator allocator = heap.allocator();
    CHECK(noexcept(allocator.create<Counted>(1)));
    CHECK(noexcept(allocator.must_create<int>(1)));
    CHECK_FALSE(noexcept(allocator.create<carbide::tests::Throwing>()));
    CHECK_FALSE(noexcept(allocator.must_create<carbide::tests::Throwing>()));
}

TEST_CASE("operations: resize keeps the address, and its failure the slice") {
    RecordingHeap heap;
    const Allocator allocator = heap.allocator();
    const std::span<int> slice = allocator.must_alloc<int>(4);
    std::iota(slice.begin(), slice.end(), 1);
    CHECK_FALSE(allocator.resize(slice, 8));
    heap.can_resize = true;
    CHECK(allocator.resize(slice, 8));
    CHECK(heap.live.at(slice.data()).size_bytes == 32);
    const std::span<int> grown(slice.data(), 8);
    CHECK(std::accumulate(grown.begin(), grown.begin() + 4, 0) == 10);
    CHECK(allocator.resize(grown, 2));
    allocator.free(std::span<int>(slice.data(), 2));
    CHECK(heap.live.empty());
    CHECK(heap.mistake.empty());
}

TEST_CASE("operations: remap moves where the allocator can, and leaves the rest to the caller") {
    RecordingHeap heap;
    const Allocator allocator = heap.allocator();
    const std::span<int> slice = allocator.must_alloc<int>(4);
    std::iota(slice.begin(), slice.end(), 1);
    CHECK_FALSE(allocator.remap(slice, 2000).has_value());
    CHECK(slice[3] == 4);
    heap.can_remap = true;
    const std::optional<std::span<int>> moved = allocator.remap(slice, 2000);
    REQUIRE(moved.has_value());
    CHECK(moved->size() == 2000);
    CHECK((*moved)[3] == 4);
    CHECK(heap.alloc_count == 1);
    const std::optional<std::span<int>> emptied = allocator.remap(*moved, 0);
    REQUIRE(emptied.has_value());
    CHECK(emptied->empty());
    CHECK(heap.live.empty());
    CHECK(heap.mistake.empty());
}

TEST_CASE("operations: realloc grows and shrinks with the content, by remap or by a copy") {
    RecordingHeap heap;
    SUBCASE("by a copy") { heap.can_remap = false; }
    SUBCASE("by remap") { heap.can_remap = true; }
    const Allocator allocator = heap.allocator();
    std::span<int> slice = allocator.must_alloc<int>(4);
    std::iota(slice.begin(), slice.end(), 1);
    for (const std::size_t count : {3000U, 4U, 5U, 2000U, 4U}) {
        slice = allocator.realloc(slice, count).value();
        CHECK(slice.size() == count);
        CHECK(std::accumulate(slice.begin(), slice.begin() + 4, 0) == 10);
        CHECK(heap.live.size() == 1);
    }
    slice = allocator.realloc(slice, 0).value();
    CHECK(slice.empty());
    CHECK(heap.live.empty());
    slice = allocator.realloc(slice, 3).value();
    allocator.free(slice);
    CHECK(heap.live.empty());
    CHECK(heap.mistake.empty());
}

TEST_CASE("operations: dupe copies elements and text, and drops const") {
    RecordingHeap heap;
    const Allocator allocator = heap.allocator();
    const std::array<Point, 2> points{Point{1, 2}, Point{3, 4}};
    const std::span<Point> copy = allocator.dupe(std::span<const Point>(points)).value();
    copy[0].x = 100;
    CHECK(points[0].x == 1);
    CHECK(copy[1].y == 4);
    const std::span<char> text = allocator.dupe("carbide").value();
    CHECK(text_of(text) == "carbide");
    allocator.free(copy);
    allocator.free(text);
    CHECK(heap.live.empty());
    CHECK(heap.mistake.empty());
}

TEST_CASE("operations: dupe_z ends the text with a zero that free counts") {
    RecordingHeap heap;
    const Allocator allocator = heap.allocator();
    for (const std::string_view source : {"", "a", "carbide"}) {
        const carbide::SentinelSlice<char> text = allocator.dupe_z(source).value();
        CHECK(text.size() == source.size());
        CHECK(std::strlen(text.c_str()) == source.size());
        CHECK(text_of(text) == source);
        CHECK(heap.newest.size_bytes == source.size() + 1);
        allocator.free(text);
    }
    CHECK(allocator.dupe_z(std::string_view("a\0b", 3))->size() == 3);
    CHECK(heap.mistake.empty());
}

TEST_CASE("operations: a slice of const elements can be freed") {
    RecordingHeap heap;
    const Allocator allocator = heap.allocator();
    const std::span<const char> text = allocator.dupe("text").value();
    allocator.free(text);
    CHECK(heap.live.empty());
    CHECK(heap.mistake.empty());
}

TEST_CASE("operations: must_alloc and must_create give what there is") {
    RecordingHeap heap;
    const Allocator allocator = heap.allocator();
    const std::span<int> slice = allocator.must_alloc<int>(3);
    CHECK(slice.size() == 3);
    int* const object = allocator.must_create<int>(4);
    CHECK(*object == 4);
    allocator.destroy(object);
    allocator.free(slice);
    CHECK(heap.live.empty());
    CHECK(heap.mistake.empty());
}

TEST_CASE("operations: must_alloc aborts with size, alignment, allocator and a stack trace") {
    const auto result = run_in_child([] {
        BumpHeap<64> heap("too small");
        static_cast<void>(heap.allocator().must_alloc<CacheLine>(3));
    });
    CHECK(result.signal == SIGABRT);
    CHECK(
        result.wrote("carbide: out of memory: 3 x 64 bytes, aligned to 64, from the allocator "
                     "'too small'\n"));
    // The trace: a line per frame behind the message.
    CHECK(std::ranges::count(result.stderr_text, '\n') > 3);
}

TEST_CASE("operations: must_alloc aborts with the count where its size overflows") {
    const auto result = run_in_child([] {
        BumpHeap<64> heap;
        static_cast<void>(heap.allocator().must_alloc<std::uint16_t>(SIZE_MAX));
    });
    CHECK(result.signal == SIGABRT);
    CHECK(result.wrote("out of memory: " + std::to_string(SIZE_MAX) + " x 2 bytes, aligned to 2,"));
}

TEST_CASE("operations: must_create aborts with the size of its type") {
    const auto result = run_in_child([] {
        BumpHeap<64> heap("full");
        static_cast<void>(heap.allocator().must_alloc<char>(64));
        static_cast<void>(heap.allocator().must_create<double>(1.0));
    });
    CHECK(result.signal == SIGABRT);
    CHECK(result.wrote("out of memory: 1 x 8 bytes, aligned to 8, from the allocator 'full'\n"));
}

TEST_CASE(
    "operations: alloc takes types that need no constructor, growth trivially copyable ones") {
    CHECK(Allocatable<Point>);
    CHECK(Allocatable<const int>);
    CHECK(Allocatable<std::array<int, 4>>);
    CHECK(Allocatable<std::pair<int, int>>);
    CHECK_FALSE(Allocatable<std::string>);
    CHECK_FALSE(Allocatable<NeedsConstructor>);
    CHECK_FALSE(Allocatable<int&>);
    CHECK_FALSE(Allocatable<void>);
    CHECK(Dupable<const Point>);
    CHECK_FALSE(Dupable<std::string>);
    CHECK_FALSE(Dupable<std::unique_ptr<int>>);
    CHECK(Growable<Point>);
    CHECK_FALSE(Growable<std::string>);
    CHECK_FALSE(Growable<NeedsConstructor>);
}
