// SPDX-License-Identifier: MIT
// Memory that is freed with another size or alignment than it was allocated with.
#include <cstddef>
#include <cstdint>
#include <new>
#include <span>

#include "mistakes/tools.hpp"

namespace carbide::tests {
namespace {

using enum testing::Verdict;
using enum FindingKind;
using Text = std::span<char>;

// A container frees the elements that it has, and not those that it has room for.
namespace length_instead_of_capacity {

void mistake(Allocator allocator) {
    const Text storage = allocator.must_alloc<char>(32);
    const Text items = storage.first(5);
    allocator.free(items);
}

void correct(Allocator allocator) {
    const Text storage = allocator.must_alloc<char>(32);
    allocator.free(storage);
}

CARBIDE_MISTAKE_PAIR("a free of the length instead of the capacity has a wrong size", debugged,
                     wrong_size)

}  // namespace length_instead_of_capacity

// A text with a terminating zero is freed as one without. Seen: zig issue 21602.
namespace terminator_forgotten {

void mistake(Allocator allocator) {
    const auto name = allocator.dupe_z("name");
    if (name.has_value()) allocator.free(Text(name->data(), name->size()));
}

void correct(Allocator allocator) {
    const auto name = allocator.dupe_z("name");
    if (name.has_value()) allocator.free(*name);
}

CARBIDE_MISTAKE_PAIR("a terminated text freed without its zero has a wrong size", debugged,
                     wrong_size)

}  // namespace terminator_forgotten

// A resize in place changes the allocation, and the old slice is freed. Seen: zig issue 19596.
namespace slice_of_before_the_resize {

void mistake(Allocator allocator) {
    const Text text = allocator.must_alloc<char>(64);
    if (allocator.resize(text, 60)) return allocator.free(text);
    allocator.free(text);
}

void correct(Allocator allocator) {
    Text text = allocator.must_alloc<char>(64);
    if (allocator.resize(text, 60)) text = text.first(60);
    allocator.free(text);
}

CARBIDE_MISTAKE_PAIR("a slice of before its resize has a wrong size", debugged, wrong_size)

}  // namespace slice_of_before_the_resize

// To shrink cannot fail, people think. Seen: zig pull requests 10256 and 13666.
namespace shrink_taken_for_granted {

bool mistake(Allocator allocator) {
    const auto text = allocator.alloc<char>(64);
    if (!text.has_value()) return false;
    static_cast<void>(allocator.resize(*text, 60));
    allocator.free(text->first(60));
    return true;
}

bool correct(Allocator allocator) {
    const auto text = allocator.alloc<char>(64);
    if (!text.has_value()) return false;
    allocator.free(allocator.resize(*text, 60) ? text->first(60) : *text);
    return true;
}

CARBIDE_MISTAKE_PAIR("a shrink whose failure is ignored ends in a wrong size", swept, corrupted,
                     wrong_size)

}  // namespace shrink_taken_for_granted

// The object is destroyed through a pointer to its base, which is smaller.
namespace destroyed_as_its_base {

struct Base {
    virtual ~Base() = default;
};
struct Derived : Base {
    std::uint64_t number = 0;
};

void mistake(Allocator allocator) {
    Base* const object = allocator.must_create<Derived>();
    allocator.destroy(object);
}

void correct(Allocator allocator) {
    auto* const object = allocator.must_create<Derived>();
    allocator.destroy(object);
}

CARBIDE_MISTAKE_PAIR("an object destroyed as its base has a wrong size", debugged, wrong_size)

}  // namespace destroyed_as_its_base

// Bytes are asked for, an object is placed in them, and that object is destroyed.
namespace bytes_destroyed_as_an_object {

struct Record {
    std::uint64_t number = 0;
};

void mistake(Allocator allocator) {
    const auto bytes = allocator.must_alloc<std::byte>(sizeof(Record));
    allocator.destroy(new (bytes.data()) Record);
}

void correct(Allocator allocator) {
    const auto bytes = allocator.must_alloc<std::byte>(sizeof(Record));
    auto* const record = new (bytes.data()) Record;
    record->~Record();
    allocator.free(bytes);
}

CARBIDE_MISTAKE_PAIR("bytes destroyed as the object in them have a wrong alignment", debugged,
                     wrong_alignment)

}  // namespace bytes_destroyed_as_an_object

}  // namespace
}  // namespace carbide::tests
