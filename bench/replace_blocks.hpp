// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

#include "carbide/allocator.hpp"

namespace bench {

struct Block {
    std::byte* memory;
    std::size_t size_bytes;
};

struct MallocSource {
    static std::byte* alloc(std::size_t size_bytes) {
        return static_cast<std::byte*>(std::malloc(size_bytes));
    }
    static void free(const Block& block) { std::free(block.memory); }
};

struct CarbideSource {
    carbide::Allocator allocator;

    [[nodiscard]] std::byte* alloc(std::size_t size_bytes) const {
        return static_cast<std::byte*>(allocator.raw_alloc(size_bytes, std::align_val_t{16}));
    }
    void free(const Block& block) const {
        allocator.raw_free(block.memory, block.size_bytes, std::align_val_t{16});
    }
};

/// 10,000 live blocks of 16 to 16 K bytes, each operation frees a random one and allocates another
/// in its place. Returns nanoseconds an operation, without those that warm it up.
///
/// Six calls deep and never inlined, so that a call stack of eight frames has frames to find.
double replace_blocks(const MallocSource& source, std::uint64_t seed, unsigned operation_count);
double replace_blocks(const CarbideSource& source, std::uint64_t seed, unsigned operation_count);

}  // namespace bench
