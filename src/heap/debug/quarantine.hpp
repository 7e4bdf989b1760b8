// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

namespace carbide::detail {

struct Span;

struct QuarantinedSlot {
    Span* span;
    std::uint32_t index;
};

/// Freed slots in the order of their frees, in a ring that grows by doubling, up to a number of
/// requested bytes.
class Quarantine {
public:
    /// False where there is no memory to remember one more.
    [[nodiscard]] bool push(const QuarantinedSlot& slot, std::size_t size_bytes) noexcept;

    /// Whether `pop` has to be called, so that at most `bytes_max` stay.
    [[nodiscard]] bool is_over(std::size_t bytes_max) const noexcept { return bytes_ > bytes_max; }
    [[nodiscard]] bool is_empty() const noexcept { return count_ == 0; }

    [[nodiscard]] QuarantinedSlot oldest() const noexcept { return ring_[first_]; }
    void pop(std::size_t size_bytes) noexcept;

    void deinit() noexcept;

private:
    [[nodiscard]] bool grow() noexcept;

    QuarantinedSlot* ring_ = nullptr;
    std::size_t capacity_ = 0;  // A power of two.
    std::size_t first_ = 0;
    std::size_t count_ = 0;
    std::size_t bytes_ = 0;
};

}  // namespace carbide::detail
