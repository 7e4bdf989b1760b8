// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <utility>

#include "carbide/annotations.hpp"
#include "carbide/limit_allocator.hpp"
#include "carbide/owned_slice.hpp"

namespace examples {

// [snippet:budget]
/// A limit, and a cache that may take what nobody else wants of it.
class Budget {
    using LimitAllocator = carbide::LimitAllocator;
    using Content = carbide::OwnedSlice<std::byte>;

public:
    Budget(carbide::Allocator backing, std::size_t limit_bytes) noexcept
        : limit_({.backing = backing,
                  .limit_bytes = limit_bytes,
                  .on_exhausted = make_room,
                  .on_exhausted_context = this}) {}

    /// Takes content that could be computed again, in place of the oldest.
    void cache(Content content) noexcept {
        contents_[next_] = std::move(content);
        next_ = (next_ + 1) % contents_.size();
    }

    LimitAllocator& limit() noexcept CARBIDE_LIFETIMEBOUND { return limit_; }

    [[nodiscard]] std::size_t cached_count() const noexcept {
        std::size_t count = 0;
        for (const auto& content : contents_) count += content ? 1U : 0U;
        return count;
    }

private:
    // Something does not fit: gives up the oldest content, while there is one.
    static LimitAllocator::Decision make_room(void* self, LimitAllocator&, std::size_t) noexcept {
        auto& budget = *static_cast<Budget*>(self);
        for (std::size_t age = 0; age < budget.contents_.size(); ++age) {
            auto& content = budget.contents_[(budget.next_ + age) % budget.contents_.size()];
            if (!content) continue;
            content.reset();
            return LimitAllocator::Decision::retry;
        }
        return LimitAllocator::Decision::fail;
    }

    LimitAllocator limit_;
    std::array<std::optional<Content>, 8> contents_;  // Behind the limit, so that it ends first.
    std::size_t next_ = 0;
};
// [/snippet:budget]

}  // namespace examples
