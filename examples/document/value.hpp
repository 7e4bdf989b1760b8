// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "carbide/allocator.hpp"
#include "carbide/annotations.hpp"

namespace json {

enum class ValueKind : std::uint8_t {
    object,
    array,
    string,
    number,
    true_literal,
    false_literal,
    null
};

inline constexpr std::size_t value_kind_count = 7;

/// "object", "array", "string", "number", "true", "false", "null".
[[nodiscard]] std::string_view name_of(ValueKind kind) noexcept;

/// "an object", "a string", "null": for sentences.
[[nodiscard]] std::string_view described(ValueKind kind) noexcept;

/// A JSON value, one allocation of its own; its children hang on it in the order of the source.
///
///   object ── first_child ──► value "a" ── next ──► value "b" ── next ──► null
///     ▲───────── parent ──────────┴────────────────────┘
///
/// `parent` lets every walk over the tree do without recursion and without a stack: the tree may
/// be deeper than a call stack.
struct Value {
    ValueKind kind;
    std::string_view key{};   // The name, where the parent is an object. The value owns it.
    std::string_view text{};  // A string's value, a number as it was written. The value owns it.
    Value* parent = nullptr;
    Value* first_child = nullptr;
    Value* next = nullptr;
};

static_assert(sizeof(Value) == 64, "a cache line each");

/// Visits the values of a tree in the order of the source.
///
///     for (TreeWalk walk(root); walk.value() != nullptr; walk.advance()) ...
class TreeWalk {
public:
    explicit TreeWalk(const Value& root) noexcept : value_(&root) {}

    /// Null behind the last.
    [[nodiscard]] const Value* value() const noexcept { return value_; }

    /// How many containers of the tree are around the value.
    [[nodiscard]] std::size_t depth() const noexcept { return depth_; }

    void advance() noexcept;

private:
    const Value* value_;
    std::size_t depth_ = 0;  // 0 only at the root.
};

/// Gives back every value and text of a tree, one by one: for callers whose allocator is no arena.
/// Null is ignored. Allocates nothing.
void free_tree(carbide::Allocator allocator, CARBIDE_TAKES_OWNERSHIP Value* root) noexcept;

}  // namespace json
