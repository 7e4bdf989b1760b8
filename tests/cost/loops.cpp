// SPDX-License-Identifier: MIT
#include "loops.hpp"

#include <new>

namespace cost {
namespace {

// NOLINTBEGIN(clang-analyzer-unix.Malloc): what these loops make ends with its heap.

// Keeps what is made, and costs no instruction.
void keep(const void* memory) noexcept { asm volatile("" : : "r"(memory) : "memory"); }

void* alloc_by_hand(HandWrittenBump& bump, std::size_t size_bytes, std::size_t alignment_bytes) {
    const std::uintptr_t start = (bump.cursor + alignment_bytes - 1) & ~(alignment_bytes - 1);
    if (start > bump.limit || size_bytes > bump.limit - start) return nullptr;
    bump.cursor = start + size_bytes;
    return reinterpret_cast<void*>(start);
}

}  // namespace

std::size_t create_by_hand(HandWrittenBump& bump, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        void* const memory = alloc_by_hand(bump, sizeof(Node), alignof(Node));
        if (memory == nullptr) return i;
        keep(new (memory) Node{nullptr, nullptr, 1, 2, 3});
    }
    return count;
}

std::size_t create(carbide::Allocator allocator, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        const auto node = allocator.create<Node>(nullptr, nullptr, 1, 2, 3);
        if (!node.has_value()) return i;
        keep(*node);
    }
    return count;
}

std::size_t create_direct(carbide::ArenaAllocator& arena, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        const auto node = arena.create<Node>(nullptr, nullptr, 1, 2, 3);
        if (!node.has_value()) return i;
        keep(*node);
    }
    return count;
}

std::size_t create_and_destroy(carbide::Allocator allocator, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        const auto node = allocator.create<Node>(nullptr, nullptr, 1, 2, 3);
        if (!node.has_value()) return i;
        keep(*node);
        allocator.destroy(*node);
    }
    return count;
}

std::size_t create_in_pool(carbide::PoolAllocator<Node>& pool, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        const auto node = pool.create(nullptr, nullptr, 1, 2, 3);
        if (!node.has_value()) return i;
        keep(*node);
        pool.destroy(*node);
    }
    return count;
}

std::size_t create_padded(carbide::Allocator allocator, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        const auto number = allocator.create<std::int64_t>(1);
        const auto node = allocator.create<PaddedNode>(Node{nullptr, nullptr, 1, 2, 3});
        if (!number.has_value() || !node.has_value()) return i;
        keep(*number);
        keep(*node);
    }
    return count;
}

std::size_t raw_alloc(carbide::Allocator allocator, std::size_t count, std::size_t size_bytes) {
    for (std::size_t i = 0; i < count; ++i) {
        void* const memory = allocator.raw_alloc(size_bytes, std::align_val_t{8});
        if (memory == nullptr) return i;
        keep(memory);
    }
    return count;
}

std::size_t raw_alloc_and_free(carbide::Allocator allocator, std::size_t count,
                               std::size_t size_bytes) {
    for (std::size_t i = 0; i < count; ++i) {
        void* const memory = allocator.raw_alloc(size_bytes, std::align_val_t{8});
        if (memory == nullptr) return i;
        keep(memory);
        allocator.raw_free(memory, size_bytes, std::align_val_t{8});
    }
    return count;
}

std::size_t raw_alloc_and_free_direct(carbide::ThreadCachingAllocator& allocator, std::size_t count,
                                      std::size_t size_bytes) {
    for (std::size_t i = 0; i < count; ++i) {
        void* const memory = allocator.raw_alloc(size_bytes, std::align_val_t{8});
        if (memory == nullptr) return i;
        keep(memory);
        allocator.raw_free(memory, size_bytes, std::align_val_t{8});
    }
    return count;
}

std::size_t create_and_destroy_direct(carbide::ThreadCachingAllocator& allocator,
                                      std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        const auto node = allocator.create<Node>(nullptr, nullptr, 1, 2, 3);
        if (!node.has_value()) return i;
        keep(*node);
        allocator.destroy(*node);
    }
    return count;
}

// NOLINTEND(clang-analyzer-unix.Malloc)

}  // namespace cost
