// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>

#include "carbide/allocator.hpp"
#include "carbide/annotations.hpp"
#include "carbide/try.hpp"

namespace json {

/// Elements behind each other, for as long as nobody knows how many there will be. At the end
/// `take` hands out a slice that is just as long as they are.
///
/// In an arena the newest allocation grows in place, and what `take` cuts off is free again: so
/// let nothing else allocate from it in between.
///
/// Memory         From the allocator given, at least doubled when full.
/// Ownership      Owns the elements until `take`.
/// Out of memory  The elements stay as they were.
/// Cost           O(1) per element, amortised.
template <carbide::TriviallyCopyable T>
class GrowingArray {
public:
    explicit GrowingArray(carbide::Allocator allocator) noexcept : allocator_(allocator) {}
    ~GrowingArray() { allocator_.free(memory_); }

    GrowingArray(const GrowingArray&) = delete;  // Two would free the same memory.
    GrowingArray& operator=(const GrowingArray&) = delete;

    /// Makes room for `count` elements in all.
    carbide::Result<void> reserve(std::size_t count) noexcept {
        if (count <= memory_.size()) return {};
        memory_ = CARBIDE_TRY(allocator_.realloc(memory_, count));
        return {};
    }

    carbide::Result<void> append(const T& element) noexcept {
        if (count_ == memory_.size()) [[unlikely]] {
            CARBIDE_TRY(reserve(count_ < count_min ? count_min : 2 * count_));
        }
        memory_[count_++] = element;
        return {};
    }

    /// The elements, until the next `append` or `take`.
    [[nodiscard]] std::span<const T> items() const noexcept CARBIDE_LIFETIMEBOUND {
        return memory_.first(count_);
    }

    /// Hands the elements over. The array is empty then.
    CARBIDE_CALLER_OWNS carbide::Result<std::span<T>> take() noexcept {
        memory_ = CARBIDE_TRY(allocator_.realloc(memory_, count_));
        const std::span<T> taken = memory_;
        memory_ = {};
        count_ = 0;
        return taken;
    }

private:
    static constexpr std::size_t count_min = 16;

    carbide::Allocator allocator_;
    std::span<T> memory_;
    std::size_t count_ = 0;
};

}  // namespace json
