// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "carbide/allocator.hpp"
#include "carbide/annotations.hpp"
#include "carbide/owned_slice.hpp"
#include "document/value.hpp"

namespace json {

/// How many members have this name.
struct KeyCount {
    std::string_view key;
    std::size_t count = 0;
};

/// The order in which counts are shown: most frequent first, equal ones in the order of their
/// keys' bytes.
[[nodiscard]] bool is_more_frequent(const KeyCount& left, const KeyCount& right) noexcept;

/// Counts the names of members, and those that one object has more than once.
///
/// Memory         A table from the allocator given, doubled when it is three quarters full.
/// Ownership      Owns the table. Borrows the keys, which must outlive it.
/// Out of memory  The counts stay as they were.
/// Cost           O(1) per member with any usual keys; whoever knows the hash can choose keys that
///                collide, and a server would seed it.
class KeyTable {
public:
    explicit KeyTable(carbide::Allocator scratch) noexcept : slots_(scratch) {}

    /// Pass the members of an object one after the other, and then those of the next.
    carbide::Result<void> add_member(const Value& member) noexcept;

    /// Members whose name an earlier member of the same object has.
    [[nodiscard]] std::size_t duplicate_count() const noexcept { return duplicate_count_; }

    /// The counts, most frequent first.
    CARBIDE_CALLER_OWNS carbide::Result<std::span<KeyCount>> sorted(
        carbide::Allocator arena) const noexcept;

private:
    struct Slot {
        KeyCount counted;  // Free where the count is 0.
        std::size_t hash;
        const Value* last_object;  // The newest object that has the key.
    };

    [[nodiscard]] Slot& find(std::string_view key, std::size_t hash) const noexcept;
    carbide::Result<void> grow() noexcept;

    carbide::OwnedSlice<Slot> slots_;  // None, or a power of two.
    std::size_t key_count_ = 0;
    std::size_t duplicate_count_ = 0;
};

}  // namespace json
