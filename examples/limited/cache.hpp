// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <deque>
#include <utility>

#include "carbide/limit_allocator.hpp"
#include "carbide/owned_slice.hpp"

namespace examples {

// [snippet:cache]
/// Content that could be computed again. It may take the memory that nobody else wants.
class Cache {
public:
    void keep(carbide::OwnedSlice<std::byte> content) { contents_.push_back(std::move(content)); }

    /// For `LimitAllocator::Options::on_exhausted`: gives up the oldest content, while there is
    /// one, and so makes room for the request.
    static carbide::LimitAllocator::Decision make_room(void* cache, carbide::LimitAllocator&,
                                                       std::size_t /*needed_bytes*/) noexcept {
        auto& contents = static_cast<Cache*>(cache)->contents_;
        if (contents.empty()) return carbide::LimitAllocator::Decision::fail;
        contents.pop_front();
        return carbide::LimitAllocator::Decision::retry;
    }

    [[nodiscard]] std::size_t count() const noexcept { return contents_.size(); }

private:
    std::deque<carbide::OwnedSlice<std::byte>> contents_;
};
// [/snippet:cache]

}  // namespace examples
