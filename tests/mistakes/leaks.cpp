// SPDX-License-Identifier: MIT
// Memory that nobody can free any more.
#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "carbide/defer.hpp"
#include "carbide/owned.hpp"
#include "carbide/try.hpp"
#include "mistakes/tools.hpp"

namespace carbide::tests {
namespace {

using enum testing::Verdict;
using enum FindingKind;
using Text = std::span<char>;

constexpr std::align_val_t text_alignment{1};

// The result of realloc replaces the only pointer. Where it is null, the old block has no owner.
// Seen: mini-snmpd issue 31, kissdb pull request 2, and dozens like them.
namespace grown_into_the_only_pointer {

bool mistake(Allocator allocator) {
    void* text = allocator.raw_alloc(16, text_alignment);
    if (text == nullptr) return false;
    text = allocator.raw_realloc(text, 16, 64, text_alignment);
    if (text == nullptr) return false;
    allocator.raw_free(text, 64, text_alignment);
    return true;
}

bool correct(Allocator allocator) {
    void* const text = allocator.raw_alloc(16, text_alignment);
    if (text == nullptr) return false;
    void* const grown = allocator.raw_realloc(text, 16, 64, text_alignment);
    if (grown == nullptr) allocator.raw_free(text, 16, text_alignment);
    if (grown != nullptr) allocator.raw_free(grown, 64, text_alignment);
    return grown != nullptr;
}

CARBIDE_MISTAKE_PAIR("growing into the only pointer leaks where it fails", swept, leaked, leak)

}  // namespace grown_into_the_only_pointer

// What frees both is written behind both requests, and so does not run where the second fails.
// Seen: kaappi issue 431, kuri issue 84, architect pull request 179.
namespace cleanup_installed_too_late {

Result<void> mistake(Allocator allocator) {
    const Text title = CARBIDE_TRY(allocator.dupe("title"));
    const Text body = CARBIDE_TRY(allocator.dupe("body"));
    const auto free_both = defer([&] {
        allocator.free(body);
        allocator.free(title);
    });
    return {};
}

Result<void> correct(Allocator allocator) {
    const Text title = CARBIDE_TRY(allocator.dupe("title"));
    const auto free_title = defer([&] { allocator.free(title); });
    const Text body = CARBIDE_TRY(allocator.dupe("body"));
    const auto free_body = defer([&] { allocator.free(body); });
    return {};
}

CARBIDE_MISTAKE_PAIR("cleanup that is installed behind the second request leaks the first", swept,
                     leaked, leak)

}  // namespace cleanup_installed_too_late

// An element in the middle fails; the error path frees the array and forgets the elements that it
// already has. Seen: ryk issue 383.
namespace half_built_array {

void free_lines(Allocator allocator, std::span<Text> lines, std::size_t made) {
    for (const Text line : lines.first(made)) allocator.free(line);
    allocator.free(lines);
}

Result<void> mistake(Allocator allocator) {
    const std::span<Text> lines = CARBIDE_TRY(allocator.alloc<Text>(3));
    auto free_array = errdefer([&] { allocator.free(lines); });
    for (Text& line : lines) line = CARBIDE_TRY(allocator.dupe("line"));
    free_array.commit();
    free_lines(allocator, lines, lines.size());
    return {};
}

Result<void> correct(Allocator allocator) {
    const std::span<Text> lines = CARBIDE_TRY(allocator.alloc<Text>(3));
    std::size_t made = 0;
    const auto free_all = defer([&] { free_lines(allocator, lines, made); });
    for (; made < lines.size(); ++made) lines[made] = CARBIDE_TRY(allocator.dupe("line"));
    return {};
}

CARBIDE_MISTAKE_PAIR("an error path that frees the array alone leaks its elements", swept, leaked,
                     leak)

}  // namespace half_built_array

// A check of the input was added later, and returns past the free at the end.
namespace early_return {

bool mistake_parse(Allocator allocator, std::string_view line) {
    const Text copy = copy_of(allocator, line);
    if (line.find(':') == std::string_view::npos) return false;
    allocator.free(copy);
    return true;
}

bool correct_parse(Allocator allocator, std::string_view line) {
    const Text copy = copy_of(allocator, line);
    const auto free_copy = defer([&] { allocator.free(copy); });
    return line.find(':') != std::string_view::npos;
}

void mistake(Allocator allocator) { static_cast<void>(mistake_parse(allocator, "no colon")); }
void correct(Allocator allocator) { static_cast<void>(correct_parse(allocator, "no colon")); }

CARBIDE_MISTAKE_PAIR("an early return leaks what is freed at the end", tested, leak)

}  // namespace early_return

// A setter stores the new text over the old one.
namespace old_value_overwritten {

void mistake(Allocator allocator) {
    Text name = copy_of(allocator, "first");
    name = copy_of(allocator, "second");
    allocator.free(name);
}

void correct(Allocator allocator) {
    Text name = copy_of(allocator, "first");
    const Text old = name;
    name = copy_of(allocator, "second");
    allocator.free(old);
    allocator.free(name);
}

CARBIDE_MISTAKE_PAIR("an assignment over an owning pointer leaks the old value", tested, leak)

}  // namespace old_value_overwritten

// Freeing a list frees its head.
namespace list_tail {

struct Node {
    Node* next;
};

Node* make_list(Allocator allocator) {
    Node* const third = allocator.must_create<Node>(nullptr);
    Node* const second = allocator.must_create<Node>(third);
    return allocator.must_create<Node>(second);
}

void mistake(Allocator allocator) { allocator.destroy(make_list(allocator)); }

void correct(Allocator allocator) {
    for (Node* node = make_list(allocator); node != nullptr;) {
        Node* const next = node->next;  // Read before `destroy` ends its lifetime.
        allocator.destroy(node);
        node = next;
    }
}

CARBIDE_MISTAKE_PAIR("freeing the head of a list leaks its tail", tested, leak)

}  // namespace list_tail

// An error path, or a second getter, retains once more than anybody releases.
// Seen: mercury issue 519.
namespace retained_too_often {

struct Shared {
    int reference_count = 1;
};

void release(Allocator allocator, Shared* shared) {
    if (--shared->reference_count == 0) allocator.destroy(shared);
}

void mistake(Allocator allocator) {
    auto* const shared = allocator.must_create<Shared>();
    ++shared->reference_count;
    release(allocator, shared);
}

void correct(Allocator allocator) {
    auto* const shared = allocator.must_create<Shared>();
    ++shared->reference_count;
    release(allocator, shared);
    release(allocator, shared);
}

CARBIDE_MISTAKE_PAIR("a reference that nobody releases leaks the object", tested, leak)

}  // namespace retained_too_often

// `clear` sets the count to 0, and forgets that the elements own texts.
namespace cleared_without_the_elements {

struct Words {
    Allocator allocator;
    std::array<Text, 4> items{};
    std::size_t count = 0;

    void add(std::string_view word) { items[count++] = copy_of(allocator, word); }
};

void mistake(Allocator allocator) {
    Words words{.allocator = allocator};
    words.add("one");
    words.count = 0;
}

void correct(Allocator allocator) {
    Words words{.allocator = allocator};
    words.add("one");
    while (words.count != 0) allocator.free(words.items[--words.count]);
}

CARBIDE_MISTAKE_PAIR("a clear that only resets the count leaks what the elements own", tested, leak)

}  // namespace cleared_without_the_elements

// `release` is taken for `reset`.
namespace released_instead_of_reset {

void mistake(Allocator allocator) {
    Owned<int> number(allocator.must_create<int>(7), allocator);
    static_cast<void>(number.release());
}

void correct(Allocator allocator) {
    Owned<int> number(allocator.must_create<int>(7), allocator);
    number.reset();
}

CARBIDE_MISTAKE_PAIR("an owner that is released instead of reset leaks", tested, leak)

}  // namespace released_instead_of_reset

}  // namespace
}  // namespace carbide::tests
