// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

#include "carbide/allocator.hpp"
#include "carbide/arena_allocator.hpp"
#include "carbide/pool_allocator.hpp"
#include "carbide/thread_caching_allocator.hpp"

/// Loops whose instructions are counted, in a translation unit of their own, so that the optimizer
/// knows nothing about what they are given. Each returns how many passes succeeded.
namespace cost {

struct Node {
    Node* next;
    Node* child;
    std::int64_t value;
    std::int32_t kind;
    std::int32_t line;
};
static_assert(sizeof(Node) == 32);

struct alignas(16) PaddedNode {
    Node node;
};

/// A bump pointer written by hand, to compare with.
struct HandWrittenBump {
    std::uintptr_t cursor;
    std::uintptr_t limit;
};

std::size_t create_by_hand(HandWrittenBump& bump, std::size_t count);
std::size_t create(carbide::Allocator allocator, std::size_t count);
std::size_t create_direct(carbide::ArenaAllocator& arena, std::size_t count);
std::size_t create_and_destroy(carbide::Allocator allocator, std::size_t count);
std::size_t create_in_pool(carbide::PoolAllocator<Node>& pool, std::size_t count);

/// Each pass makes a node that needs no padding and one that does.
std::size_t create_padded(carbide::Allocator allocator, std::size_t count);

/// Of a size that only the run knows.
std::size_t raw_alloc(carbide::Allocator allocator, std::size_t count, std::size_t size_bytes);
std::size_t raw_alloc_and_free(carbide::Allocator allocator, std::size_t count,
                               std::size_t size_bytes);
std::size_t raw_alloc_and_free_direct(carbide::ThreadCachingAllocator& allocator, std::size_t count,
                                      std::size_t size_bytes);
std::size_t create_and_destroy_direct(carbide::ThreadCachingAllocator& allocator,
                                      std::size_t count);

}  // namespace cost
