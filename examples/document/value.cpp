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

void TreeWalk::advance() noexcept {
    if (value_->first_child != nullptr) {
        value_ = value_->first_child;
        ++depth_;
        return;
    }
    for (; depth_ > 0 && value_->next == nullptr; --depth_) value_ = value_->parent;
    value_ = depth_ > 0 ? value_->next : nullptr;
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
