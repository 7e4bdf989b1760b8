// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>

namespace fuzz {

/// The input, taken a byte at a time. Behind its end there are zeros.
class Bytes {
public:
    explicit Bytes(std::span<const std::uint8_t> input) noexcept : rest_(input) {}

    [[nodiscard]] bool empty() const noexcept { return rest_.empty(); }

    std::uint8_t next() noexcept {
        if (rest_.empty()) return 0;
        const std::uint8_t first = rest_.front();
        rest_ = rest_.subspan(1);
        return first;
    }

    /// 0 to `count - 1`.
    std::size_t below(std::size_t count) noexcept { return next() % count; }

    std::size_t two() noexcept {
        const std::size_t high = next();
        return (high << 8) | next();
    }

private:
    std::span<const std::uint8_t> rest_;
};

/// Stops at what a heap must never do.
inline void require(bool holds, const char* sentence) noexcept {
    if (holds) return;
    std::fprintf(stderr, "carbide_fuzz: broken promise: %s\n", sentence);
    std::abort();
}

/// One input: builds a composition of heaps from its first bytes, then drives it with the rest and
/// compares with a model.
void run_input(std::span<const std::uint8_t> input);

}  // namespace fuzz
