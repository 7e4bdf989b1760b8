// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string_view>

#include "carbide/allocator.hpp"
#include "carbide/annotations.hpp"
#include "carbide/owned_slice.hpp"
#include "document/analyze.hpp"
#include "document/error.hpp"

namespace json {

/// What is known about a JSON document, after the document itself is gone.
///
/// Memory         Three allocations from `backing`, of just the size needed.
/// Ownership      Owns all it shows; the texts of its keys, pointers and answers are its own.
///                Borrows `backing`, which must outlive it. Moves, does not copy.
/// Out of memory  `from_analysis` says so, and has given everything back.
/// Threads        Any number may read.
class Document {
public:
    /// A copy that no longer needs the tree, its source or the pointers asked for.
    static DocumentResult<Document> from_analysis(carbide::Allocator backing,
                                                  const Analysis& analysis) noexcept;

    [[nodiscard]] const Counts& counts() const noexcept CARBIDE_LIFETIMEBOUND { return counts_; }

    /// The names of members, most frequent first; equally frequent ones in order.
    [[nodiscard]] std::span<const KeyCount> keys() const noexcept CARBIDE_LIFETIMEBOUND {
        return keys_.span();
    }

    /// What stands at the pointers of the options, in their order.
    [[nodiscard]] std::span<const PointerAnswer> answers() const noexcept CARBIDE_LIFETIMEBOUND {
        return answers_.span();
    }

private:
    Document(const Counts& counts, carbide::OwnedSlice<KeyCount> keys,
             carbide::OwnedSlice<PointerAnswer> answers, carbide::OwnedSlice<char> texts) noexcept;

    Counts counts_;
    carbide::OwnedSlice<KeyCount> keys_;
    carbide::OwnedSlice<PointerAnswer> answers_;
    carbide::OwnedSlice<char> texts_;  // What keys and answers point into.
};

}  // namespace json
