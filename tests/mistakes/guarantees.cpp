// SPDX-License-Identifier: MIT
// Operations that fail and leave their object changed.
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "carbide/owned_slice.hpp"
#include "carbide/try.hpp"
#include "mistakes/tools.hpp"

namespace carbide::tests {
namespace {

using enum testing::Verdict;

OwnedSlice<char> owned_copy_of(Allocator allocator, std::string_view text) {
    return {copy_of(allocator, text), allocator};
}

std::string string_of(const OwnedSlice<char>& text) { return {text.begin(), text.end()}; }

// The new element is counted before there is room for it.
namespace counted_before_there_is_room {

struct Stack {
    explicit Stack(Allocator allocator) : items(allocator) {}

    OwnedSlice<int> items;
    std::size_t count = 0;

    [[nodiscard]] std::size_t snapshot() const { return count; }
};

Result<void> mistake(Stack& stack) {
    ++stack.count;
    CARBIDE_TRY(stack.items.realloc(stack.count));
    stack.items[stack.count - 1] = 7;
    return {};
}

Result<void> correct(Stack& stack) {
    CARBIDE_TRY(stack.items.realloc(stack.count + 1));
    stack.items[stack.count] = 7;
    ++stack.count;
    return {};
}

CARBIDE_MISTAKE_PAIR("a push that counts before it has room changes the object",
                     checked_for_strong_guarantee, changed)

}  // namespace counted_before_there_is_room

// Two members belong together, and the second one cannot be had.
namespace half_assigned {

struct Entry {
    explicit Entry(Allocator allocator)
        : key(owned_copy_of(allocator, "old key")), value(owned_copy_of(allocator, "old value")) {}

    OwnedSlice<char> key;
    OwnedSlice<char> value;

    [[nodiscard]] std::string snapshot() const { return string_of(key) + string_of(value); }
};

Result<void> mistake(Entry& entry) {
    entry.key = CARBIDE_TRY(dupe_owned(entry.key.allocator(), "new key"));
    entry.value = CARBIDE_TRY(dupe_owned(entry.value.allocator(), "new value"));
    return {};
}

Result<void> correct(Entry& entry) {
    auto key = CARBIDE_TRY(dupe_owned(entry.key.allocator(), "new key"));
    auto value = CARBIDE_TRY(dupe_owned(entry.value.allocator(), "new value"));
    entry.key = std::move(key);
    entry.value = std::move(value);
    return {};
}

CARBIDE_MISTAKE_PAIR("an assignment of two members that stops at one changes the object",
                     checked_for_strong_guarantee, changed)

}  // namespace half_assigned

// The old text is given up to make room for the new one, which then cannot be had either.
namespace freed_to_make_room {

struct Name {
    explicit Name(Allocator allocator) : text(owned_copy_of(allocator, "old")) {}

    OwnedSlice<char> text;

    [[nodiscard]] std::string snapshot() const { return string_of(text); }
};

Result<void> mistake(Name& name) {
    name.text.reset();
    name.text = CARBIDE_TRY(dupe_owned(name.text.allocator(), "new"));
    return {};
}

Result<void> correct(Name& name) {
    name.text = CARBIDE_TRY(dupe_owned(name.text.allocator(), "new"));
    return {};
}

CARBIDE_MISTAKE_PAIR("a setter that frees before it allocates changes the object",
                     checked_for_strong_guarantee, changed)

}  // namespace freed_to_make_room

}  // namespace
}  // namespace carbide::tests
