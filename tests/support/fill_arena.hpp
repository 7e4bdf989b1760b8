// SPDX-License-Identifier: MIT
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <new>

#include "carbide/arena_allocator.hpp"

namespace carbide::tests {

/// Allocates 24 bytes at a time until this many are used: a multiple of 8.
inline void fill(ArenaAllocator& arena, std::size_t used_bytes) {
    bool succeeded = true;
    while (succeeded && arena.used_bytes() < used_bytes) {
        const std::size_t size_bytes = std::min<std::size_t>(used_bytes - arena.used_bytes(), 24);
        succeeded = arena.raw_alloc(size_bytes, std::align_val_t{1}) != nullptr;
    }
    REQUIRE(succeeded);
    REQUIRE(arena.used_bytes() == used_bytes);
}

}  // namespace carbide::tests
