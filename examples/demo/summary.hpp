// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>

#include "carbide/allocator.hpp"
#include "carbide/arena_allocator.hpp"
#include "carbide/result.hpp"
#include "document/document.hpp"
#include "document/growing_array.hpp"

namespace demo {

/// What several documents have in them together. Keeps nothing of the documents themselves.
class Summary {
public:
    explicit Summary(carbide::Allocator backing) noexcept
        : texts_({.backing = backing}), keys_(backing) {}

    carbide::Result<void> add(const json::Document& document) noexcept;

    /// Sums, but for `depth`, which is that of the deepest.
    [[nodiscard]] const json::Counts& counts() const noexcept { return counts_; }

    /// The names of members in all of the documents, most frequent first. Call it once, at the end.
    carbide::Result<std::span<const json::KeyCount>> keys() noexcept;

private:
    json::Counts counts_;
    carbide::ArenaAllocator texts_;  // Of the keys.
    json::GrowingArray<json::KeyCount> keys_;
};

}  // namespace demo
