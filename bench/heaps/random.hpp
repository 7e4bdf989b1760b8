// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

namespace bench::heaps {

/// Source: G. Steele, D. Lea, C. Flood: SplitMix, 2014. heap_bench.zig has the same, so that every
/// allocator meets the same requests.
class Random {
public:
    explicit Random(std::uint64_t seed) : state_(seed) {}

    std::uint64_t next() {
        state_ += 0x9E3779B97F4A7C15U;
        std::uint64_t z = state_;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
        return z ^ (z >> 31);
    }

private:
    std::uint64_t state_;
};

/// One number yields an index from its lower half and a size from its upper half. Multiplied, not
/// divided: a division takes as long as an allocation that hits its bin.
inline std::size_t index_from(std::uint64_t number, std::size_t count) {
    return ((number & 0xFFFF'FFFFU) * count) >> 32;
}

struct Sizes {
    std::size_t bytes_min;
    std::size_t bytes_max;
};

inline std::size_t size_from(std::uint64_t number, Sizes sizes) {
    return sizes.bytes_min + (((number >> 32) * (sizes.bytes_max - sizes.bytes_min + 1)) >> 32);
}

}  // namespace bench::heaps
