// SPDX-License-Identifier: MIT
// Writes beside an allocation.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <new>
#include <span>
#include <string_view>

#include "mistakes/tools.hpp"

namespace carbide::tests {
namespace {

using enum testing::Verdict;
using enum FindingKind;
using Text = std::span<char>;

// The length of a text does not count its terminating zero.
// Seen: redir pull request 47, gRPC-haskell pull request 128, credcheck pull request 74.
namespace no_room_for_the_zero {

void copy_name(Allocator allocator, std::size_t room) {
    const char* const name = opaque("some name");
    const Text copy = allocator.must_alloc<char>(std::strlen(name) + room);
    std::strcpy(opaque(copy.data()), name);
    allocator.free(copy);
}

void mistake(Allocator allocator) { copy_name(allocator, 0); }
void correct(Allocator allocator) { copy_name(allocator, 1); }

CARBIDE_MISTAKE_PAIR("a terminating zero without room is a write behind the end", debugged,
                     write_after)

}  // namespace no_room_for_the_zero

// The number of elements is passed where bytes are meant.
namespace elements_taken_for_bytes {

constexpr std::array<std::uint16_t, 4> source{1, 2, 3, 4};

void copy_source(Allocator allocator, std::size_t size_bytes) {
    constexpr std::align_val_t alignment{alignof(std::uint16_t)};
    void* const copy = allocator.raw_alloc(size_bytes, alignment);
    std::memcpy(copy, source.data(), sizeof source);
    allocator.raw_free(copy, size_bytes, alignment);
}

void mistake(Allocator allocator) { copy_source(allocator, source.size()); }
void correct(Allocator allocator) { copy_source(allocator, sizeof source); }

CARBIDE_MISTAKE_PAIR("elements taken for bytes are a write behind the end", debugged, write_after)

}  // namespace elements_taken_for_bytes

// The size of the pointer is asked for, and not that of what it points to.
namespace size_of_the_pointer {

struct Record {
    std::uint64_t number;
    std::uint64_t time;
};

void make_record(Allocator allocator, std::size_t size_bytes) {
    constexpr std::align_val_t alignment{alignof(Record)};
    void* const memory = allocator.raw_alloc(size_bytes, alignment);
    const Record record{1, 2};
    std::memcpy(memory, &record, sizeof record);
    allocator.raw_free(memory, size_bytes, alignment);
}

void mistake(Allocator allocator) {
    make_record(allocator, sizeof(Record*));  // NOLINT(bugprone-sizeof-expression): the mistake.
}
void correct(Allocator allocator) { make_record(allocator, sizeof(Record)); }

CARBIDE_MISTAKE_PAIR("the size of a pointer instead of its object ends behind the end", debugged,
                     write_after)

}  // namespace size_of_the_pointer

// The product of a count from outside and an element size wraps, and the block is small.
// Seen: xdelta pull request 285, mynewt-core pull request 905, htop pull request 441.
namespace wrapped_product {

struct Entry {
    std::uint64_t key;
    std::uint64_t value;
};

std::size_t count_from_file() { return opaque(SIZE_MAX / sizeof(Entry) + 2); }

void mistake(Allocator allocator) {
    const std::size_t size_bytes = count_from_file() * sizeof(Entry);
    constexpr std::align_val_t alignment{alignof(Entry)};
    void* const memory = allocator.raw_alloc(size_bytes, alignment);
    auto* const entries = static_cast<Entry*>(opaque(memory));
    entries[0] = {1, 1};
    entries[1].key = 2;
    allocator.raw_free(memory, size_bytes, alignment);
}

void correct(Allocator allocator) {
    const auto entries = allocator.alloc<Entry>(count_from_file());  // Overflow is out of memory.
    if (!entries.has_value()) return;
    (*entries)[1].key = 2;
    allocator.free(*entries);
}

CARBIDE_MISTAKE_PAIR("a size that wrapped around is a write behind the end", debugged, write_after)

}  // namespace wrapped_product

// snprintf returns the length that it would have liked, which is used as an index.
namespace length_of_the_whole_text {

void mistake(Allocator allocator) {
    const Text text = allocator.must_alloc<char>(8);
    const int length = std::snprintf(text.data(), text.size(), "%s", opaque("ten digits"));
    text.data()[length] = '\n';
    allocator.free(text);
}

void correct(Allocator allocator) {
    const Text text = allocator.must_alloc<char>(8);
    const int length = std::snprintf(text.data(), text.size(), "%s", opaque("ten digits"));
    const auto used = std::min(static_cast<std::size_t>(length), text.size() - 1);
    text[used] = '\n';
    allocator.free(text);
}

CARBIDE_MISTAKE_PAIR("the result of snprintf taken for an index is a write behind the end",
                     debugged, write_after)

}  // namespace length_of_the_whole_text

// The last character of a line is cut off, also of an empty one.
namespace last_character_of_an_empty_text {

void mistake(Allocator allocator) {
    const Text line = allocator.must_alloc<char>(16);
    const auto length = opaque(std::ptrdiff_t{0});
    line.data()[length - 1] = '\0';
    allocator.free(line);
}

void correct(Allocator allocator) {
    const Text line = allocator.must_alloc<char>(16);
    const auto length = opaque(std::ptrdiff_t{0});
    if (length != 0) line.data()[length - 1] = '\0';
    allocator.free(line);
}

CARBIDE_MISTAKE_PAIR("cutting the last character of an empty text writes in front of it", debugged,
                     write_before)

}  // namespace last_character_of_an_empty_text

// A growth in place is taken for granted.
namespace growth_taken_for_granted {

bool mistake(Allocator allocator) {
    const auto text = allocator.alloc<char>(16);
    if (!text.has_value()) return false;
    const bool has_grown = allocator.resize(*text, 20);
    std::memset(text->data(), 'x', opaque(std::size_t{20}));
    allocator.free(has_grown ? Text(text->data(), 20) : *text);
    return true;
}

bool correct(Allocator allocator) {
    const auto text = allocator.alloc<char>(16);
    if (!text.has_value()) return false;
    const bool has_grown = allocator.resize(*text, 20);
    const Text grown = has_grown ? Text(text->data(), 20) : *text;
    std::memset(grown.data(), 'x', grown.size());
    allocator.free(grown);
    return true;
}

CARBIDE_MISTAKE_PAIR("a growth whose failure is ignored is a write behind the end", swept,
                     corrupted, write_after)

}  // namespace growth_taken_for_granted

}  // namespace
}  // namespace carbide::tests
