// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <new>

#include "carbide/finding.hpp"

namespace carbide::detail {

/// Findings of one operation, kept until no lock is held any more. One operation makes a few; the
/// rest of a walk that finds more is left for its next round.
class PendingFindings {
public:
    static constexpr std::size_t capacity = 16;

    PendingFindings() noexcept =
        default;  // Leaves the storage alone: most operations find nothing.
    PendingFindings(const PendingFindings&) = delete;
    PendingFindings& operator=(const PendingFindings&) = delete;

    [[nodiscard]] bool is_empty() const noexcept { return count_ == 0; }
    [[nodiscard]] bool is_full() const noexcept { return count_ == capacity; }
    [[nodiscard]] std::size_t count() const noexcept { return count_; }
    [[nodiscard]] Finding& operator[](std::size_t i) noexcept { return at(i); }

    void add(const Finding& finding) noexcept {
        if (is_full()) return;
        new (storage_ + count_ * sizeof(Finding)) Finding(finding);
        ++count_;
    }
    void clear() noexcept { count_ = 0; }

private:
    Finding& at(std::size_t i) noexcept {
        return *std::launder(reinterpret_cast<Finding*>(storage_ + i * sizeof(Finding)));
    }

    std::size_t count_ = 0;
    alignas(Finding) unsigned char storage_[capacity * sizeof(Finding)];
};

}  // namespace carbide::detail
