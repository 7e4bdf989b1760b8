// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <memory_resource>
#include <span>

#include "carbide/arena_allocator.hpp"
#include "carbide/c_allocator.hpp"
#include "carbide/fixed_buffer_allocator.hpp"
#include "sources.hpp"

/// The competitors: each owns what a round needs, gives its `source()` to the workload, and
/// `rewind`s after it. All of them begin every round with the same bytes, warm in the cache, and
/// none calls malloc or the system in a round (but `Malloc`, which is about that).
namespace bench {

inline constexpr std::size_t round_bytes_max = std::size_t{256} << 10;

/// Page aligned, so that no competitor is lucky with its cache lines.
class RoundBuffer {
public:
    [[nodiscard]] std::byte* data() const noexcept { return pages_->bytes; }
    [[nodiscard]] std::span<std::byte> bytes() const noexcept { return pages_->bytes; }

private:
    struct alignas(4096) Pages {
        std::byte bytes[round_bytes_max];
    };
    std::unique_ptr<Pages> pages_ = std::make_unique<Pages>();
};

/// `ArenaAllocator` behind the handle.
struct Arena {
    using Source = carbide::Allocator;
    carbide::ArenaAllocator arena{
        {.backing = carbide::c_allocator(), .first_chunk_bytes = round_bytes_max}};
    Source source() { return arena.allocator(); }
    void rewind() { arena.reset(carbide::ArenaAllocator::Retain::capacity); }
};

/// `ArenaAllocator` by its own type.
struct ArenaDirect : Arena {
    using Source = carbide::ArenaAllocator&;
    Source source() { return arena; }
};

/// `FixedBufferAllocator` behind the handle.
struct FixedBuffer {
    using Source = carbide::Allocator;
    RoundBuffer buffer;
    carbide::FixedBufferAllocator fixed_buffer{buffer.bytes()};
    Source source() { return fixed_buffer.allocator(); }
    void rewind() { fixed_buffer.reset(); }
};

struct Bump {
    using Source = HandWrittenBump&;
    RoundBuffer buffer;
    HandWrittenBump bump{};
    Bump() { rewind(); }
    Source source() { return bump; }
    void rewind() {
        const auto begin = reinterpret_cast<std::uintptr_t>(buffer.data());
        bump = {begin, begin + round_bytes_max};
    }
};

struct PmrMonotonic {
    using Source = std::pmr::memory_resource&;
    RoundBuffer buffer;
    std::pmr::monotonic_buffer_resource resource{buffer.data(), round_bytes_max,
                                                 std::pmr::null_memory_resource()};
    Source source() { return resource; }
    void rewind() { resource.release(); }
};

/// What every handle would cost without the window: the same bump behind the table.
class BumpBehindTable : public carbide::HeapOperations<BumpBehindTable> {
public:
    BumpBehindTable() noexcept : HeapOperations("bump behind the table") {}
    HandWrittenBump bump{};

private:
    friend HeapOperations;
    static void* slow_alloc(carbide::Heap& heap, std::size_t size_bytes,
                            std::align_val_t alignment) noexcept {
        return self(heap).bump.alloc(size_bytes, static_cast<std::size_t>(alignment));
    }
    static bool slow_resize(carbide::Heap&, void*, std::size_t, std::size_t,
                            std::align_val_t) noexcept {
        return false;
    }
    static void* slow_remap(carbide::Heap&, void*, std::size_t, std::size_t,
                            std::align_val_t) noexcept {
        return nullptr;
    }
    static void slow_free(carbide::Heap&, void*, std::size_t, std::align_val_t) noexcept {}
};

struct Table {
    using Source = carbide::Allocator;
    RoundBuffer buffer;
    BumpBehindTable heap;
    Table() { rewind(); }
    Source source() { return heap.allocator(); }
    void rewind() {
        const auto begin = reinterpret_cast<std::uintptr_t>(buffer.data());
        heap.bump = {begin, begin + round_bytes_max};
    }
};

}  // namespace bench
