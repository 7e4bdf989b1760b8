// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "carbide/allocator.hpp"
#include "carbide/annotations.hpp"
#include "document/json_pointer.hpp"
#include "document/key_table.hpp"
#include "document/value.hpp"

namespace json {

/// What a document consists of.
struct Counts {
    std::array<std::size_t, value_kind_count> by_kind{};
    std::size_t members = 0;
    std::size_t duplicate_members = 0;  // Whose name an earlier member of the same object has.
    std::size_t depth = 0;              // Containers around the innermost value, itself included.

    [[nodiscard]] std::size_t of(ValueKind kind) const noexcept {
        return by_kind[static_cast<std::size_t>(kind)];
    }
    [[nodiscard]] std::size_t values() const noexcept;

    friend bool operator==(const Counts&, const Counts&) noexcept = default;
};

/// What stands at a JSON Pointer.
struct PointerAnswer {
    PointerOutcome outcome;
    ValueKind kind;  // Of the value that was found, or where the search ended.
    std::string_view pointer;
    std::string_view resolved;  // The front of the pointer that leads somewhere.

    /// What was found, as compact JSON; otherwise empty. `number_value` makes a double of a number.
    std::string_view json;
};

/// Everything that is known about a tree, in the memory of `analyze`'s caller. Keys and pointers
/// are views: into the tree, and into what the caller asked for.
struct Analysis {
    Counts counts;
    std::span<KeyCount> keys;
    std::span<PointerAnswer> answers;
};

/// Counts the values of the tree and looks the pointers up, which must be good ones.
CARBIDE_CALLER_OWNS carbide::Result<Analysis> analyze(
    carbide::Allocator arena, const Value& root,
    std::span<const std::string_view> pointers) noexcept;

/// For callers whose allocator is no arena.
void free_analysis(carbide::Allocator allocator,
                   CARBIDE_TAKES_OWNERSHIP Analysis analysis) noexcept;

}  // namespace json
