// SPDX-License-Identifier: MIT
#include "document/value.hpp"

#include <span>

namespace json {

std::string_view name_of(ValueKind kind) noexcept {
    constexpr std::string_view names[value_kind_count] = {"object", "array", "string", "number",
                                                          "true",   "false", "null"};
    return names[static_cast<std::size_t>(kind)];
}

std::string_view described(ValueKind kind) noexcept {
    constexpr std::string_view texts[value_kind_count] = {
        "an object", "an array", "a string", "a number", "true", "false", "null"};
    return texts[static_cast<std::size_t>(kind)];
}

const Value* next_in_tree(const Value& value, const Value& root) noexcept {
    if (value.first_child != nullptr) return value.first_child;
    const Value* ended = &value;
    while (ended != &root && ended->next == nullptr) ended = ended->parent;
    return ended == &root ? nullptr : ended->next;
}

void free_tree(carbide::Allocator allocator, Value* root) noexcept {
    for (Value* value = root; value != nullptr;) {
        if (Value* const child = value->first_child) {
            value->first_child = child->next;  // So the way back up finds the next child.
            value = child;
            continue;
        }
        Value* const parent = value == root ? nullptr : value->parent;
        allocator.free(std::span<const char>(value->key));
        allocator.free(std::span<const char>(value->text));
        allocator.destroy(value);
        value = parent;
    }
}

}  // namespace json
