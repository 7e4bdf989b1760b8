// SPDX-License-Identifier: MIT
// Reads that only a protected page can find.
#include <cstddef>
#include <span>
#include <string_view>

#include "carbide/owned_slice.hpp"
#include "mistakes/tools.hpp"

namespace carbide::tests {
namespace {

using enum testing::Verdict;
using enum FindingKind;
using Text = std::span<char>;

// A text without a terminating zero is read up to one.
namespace unterminated_text {

std::size_t length_of(const char* text) {
    std::size_t length = 0;
    while (*static_cast<const volatile char*>(text + length) != '\0') ++length;
    return length;
}

void mistake(Allocator allocator) {
    const Text name = copy_of(allocator, "name");
    static_cast<void>(opaque(length_of(name.data())));
    allocator.free(name);
}

void correct(Allocator allocator) {
    const auto name = allocator.dupe_z("name");
    if (!name.has_value()) return;
    static_cast<void>(opaque(length_of(name->data())));
    allocator.free(*name);
}

CARBIDE_MISTAKE_PAIR("a text read without its terminating zero is read behind its end", guarded,
                     crashed, out_of_bounds_access)

}  // namespace unterminated_text

// Trailing spaces are trimmed without a look at the beginning.
namespace trimmed_past_the_beginning {

void mistake(Allocator allocator) {
    const Text line = copy_of(allocator, "   ");
    const char* end = line.data() + line.size();
    while (*opaque(end - 1) == ' ') --end;
    allocator.free(line);
}

void correct(Allocator allocator) {
    const Text line = copy_of(allocator, "   ");
    const char* end = line.data() + line.size();
    while (end != line.data() && *opaque(end - 1) == ' ') --end;
    allocator.free(line);
}

CARBIDE_MISTAKE_PAIR("trimming without a look at the beginning reads in front of it",
                     guarded_in_front, crashed, out_of_bounds_access)

}  // namespace trimmed_past_the_beginning

// The loop destroys a node and then asks it for the next one.
namespace next_of_a_destroyed_node {

struct Node {
    Node* next;
};

Node* make_list(Allocator allocator) {
    return allocator.must_create<Node>(allocator.must_create<Node>(nullptr));
}

void mistake(Allocator allocator) {
    for (Node* node = make_list(allocator); node != nullptr;) {
        allocator.destroy(node);
        look_at(node->next);
        node = node->next;
    }
}

void correct(Allocator allocator) {
    for (Node* node = make_list(allocator); node != nullptr;) {
        Node* const next = node->next;
        allocator.destroy(node);
        node = next;
    }
}

CARBIDE_MISTAKE_PAIR("a list walked through a node that is gone reads freed memory", guarded,
                     crashed, use_after_free)

}  // namespace next_of_a_destroyed_node

// A reference to an element is kept while the container grows.
namespace reference_kept_across_growth {

struct Numbers {
    OwnedSlice<int> items;

    void grow() { static_cast<void>(items.realloc(opaque(2 * items.size()))); }
};

void mistake(Allocator allocator) {
    Numbers numbers{OwnedSlice<int>(allocator.must_alloc<int>(2048), allocator)};
    const int& first = numbers.items.span().front();
    numbers.grow();
    look_at(first);
}

void correct(Allocator allocator) {
    Numbers numbers{OwnedSlice<int>(allocator.must_alloc<int>(2048), allocator)};
    numbers.grow();
    look_at(numbers.items.span().front());
}

CARBIDE_MISTAKE_PAIR("a reference kept across growth reads freed memory", guarded, crashed,
                     use_after_free)

}  // namespace reference_kept_across_growth

// A view of a temporary text is returned, or stored.
namespace view_of_a_dead_text {

void mistake(Allocator allocator) {
    std::string_view view;
    {
        const OwnedSlice<char> path(copy_of(allocator, "/tmp/file"), allocator);
        view = std::string_view(path.data(), path.size()).substr(5);
    }
    look_at(view.front());
}

void correct(Allocator allocator) {
    const OwnedSlice<char> path(copy_of(allocator, "/tmp/file"), allocator);
    const std::string_view view = std::string_view(path.data(), path.size()).substr(5);
    look_at(view.front());
}

CARBIDE_MISTAKE_PAIR("a view that outlives its text reads freed memory", guarded, crashed,
                     use_after_free)

}  // namespace view_of_a_dead_text

// The copy assignment frees its own text first, which is also the source.
namespace assigned_to_itself {

struct Name {
    Allocator allocator;
    Text text;

    void mistake_assign(const Name& other) {
        allocator.free(text);
        text = copy_of(allocator, std::string_view(other.text.data(), other.text.size()));
    }
    void correct_assign(const Name& other) {
        const Text copy =
            copy_of(allocator, std::string_view(other.text.data(), other.text.size()));
        allocator.free(text);
        text = copy;
    }
};

void mistake(Allocator allocator) {
    Name name{allocator, copy_of(allocator, "name")};
    name.mistake_assign(name);
    allocator.free(name.text);
}

void correct(Allocator allocator) {
    Name name{allocator, copy_of(allocator, "name")};
    name.correct_assign(name);
    allocator.free(name.text);
}

CARBIDE_MISTAKE_PAIR("an assignment that frees first reads freed memory when it is to itself",
                     guarded, crashed, use_after_free)

}  // namespace assigned_to_itself

}  // namespace
}  // namespace carbide::tests
