// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

namespace carbide::testing {

/// Pseudo-random numbers that are the same on every platform for one seed.
///
/// Source         SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators).
class Random {
public:
    explicit constexpr Random(std::uint64_t seed) noexcept : state_(seed) {}

    constexpr std::uint64_t next() noexcept {
        state_ += 0x9E3779B97F4A7C15;
        std::uint64_t mixed = state_;
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
        return mixed ^ (mixed >> 31);
    }

    /// From 0 to `bound` - 1. The bias towards small numbers does not matter for tests.
    constexpr std::size_t below(std::size_t bound) noexcept { return next() % bound; }

    /// From 1 to `most`, each power of two as likely as the next: small sizes are the usual ones.
    constexpr std::size_t size_up_to(std::size_t most) noexcept {
        unsigned bits = 0;
        while (bits < 63 && (std::size_t{1} << bits) < most) ++bits;
        const std::size_t size = 1 + (next() >> (63 - below(bits + 1)) >> 1);
        return size < most ? size : most;
    }

private:
    std::uint64_t state_;
};

}  // namespace carbide::testing
