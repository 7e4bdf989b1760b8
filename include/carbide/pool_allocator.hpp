// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

#include "carbide/heap_operations.hpp"
#include "carbide/slot_pool.hpp"

namespace carbide {

/// What `PoolAllocator` is for every type; use that one.
class PoolBase : public HeapOperations<PoolBase> {
public:
    /// What `reset` keeps.
    enum class Retain {
        nothing,   // Every chunk goes back to the backing.
        capacity,  // Every slot is free again, and no call to the backing is made for it.
    };

    /// Makes sure that the next `slot_count` requests succeed without calling the backing. The way
    /// to give a pool that does not grow its slots.
    Result<void> preheat(std::size_t slot_count) noexcept { return pool_.preheat(slot_count); }

    /// Ends the lifetime of every allocation. Runs no destructors.
    void reset(Retain retain = Retain::capacity) noexcept;

    /// True for the beginning of a slot, lent out or not. Linear in the number of chunks.
    [[nodiscard]] bool owns(const void* memory) const noexcept { return pool_.owns(memory); }

    /// Slots that are lent out.
    [[nodiscard]] std::size_t live_count() const noexcept { return pool_.live_count(); }

    /// Slots that there are.
    [[nodiscard]] std::size_t capacity_count() const noexcept { return pool_.capacity_count(); }

    /// Bytes held from the backing.
    [[nodiscard]] std::size_t capacity_bytes() const noexcept { return pool_.capacity_bytes(); }

    /// Walks everything. For tests; linear.
    [[nodiscard]] bool is_valid() const noexcept { return pool_.is_valid(); }

protected:
    PoolBase(const SlotPool::Options& options, const char* name) noexcept
        : HeapOperations(name), pool_(options) {}
    ~PoolBase() = default;

    [[nodiscard, gnu::always_inline]] void* take() noexcept {
        if constexpr (checked_build) detail::check_owner(*this);
        return pool_.take();
    }
    [[gnu::always_inline]] void give(void* memory) noexcept {
        if constexpr (checked_build) detail::check_owner(*this);
        pool_.give(memory);
    }

private:
    friend HeapOperations;

    static void* slow_alloc(Heap& heap, std::size_t size_bytes,
                            std::align_val_t alignment) noexcept;
    static bool slow_resize(Heap& heap, void* memory, std::size_t old_bytes, std::size_t new_bytes,
                            std::align_val_t alignment) noexcept;
    static void* slow_remap(Heap& heap, void* memory, std::size_t old_bytes, std::size_t new_bytes,
                            std::align_val_t alignment) noexcept;
    static void slow_free(Heap& heap, void* memory, std::size_t size_bytes,
                          std::align_val_t alignment) noexcept;
    static bool slow_owns(Heap& heap, const void* memory) noexcept;

    SlotPool pool_;
};

/// Objects of one type, on a free list.
///
/// Use it for many objects of one size that come and go in any order: nodes, connections, messages.
/// Avoid it for mixed sizes, and where everything ends at once: an arena is simpler.
///
/// Memory         Chunks from `Options::backing`, doubling up to 256 KiB. Through the handle, any
///                request that fits a slot in size and alignment takes one.
/// Ownership      Owns its chunks. Borrows `backing`, which must outlive the pool. Runs no
///                destructors of objects that are still alive when it ends.
/// Out of memory  When the backing fails, when a pool that does not grow is empty, and for
///                requests larger or more aligned than a slot.
/// Threads        One at a time. Share it through `LockedAllocator`.
/// Cost           Inlined pop and push; no bookkeeping per object.
/// Source         Zig 0.15 `std.heap.MemoryPool`; docs/design.md has the differences.
template <class T>
class PoolAllocator : public PoolBase {
public:
    enum class Growth {
        grow,   // An empty pool takes another chunk from its backing.
        fixed,  // An empty pool is out of memory: its slots come from `preheat` alone.
    };

    struct Options {
        Allocator backing;
        std::size_t first_chunk_slots = sizeof(T) >= 4096 ? 1 : 4096 / sizeof(T);
        Growth growth = Growth::grow;
        const char* name = "pool";
    };

    /// Allocates nothing until the first request.
    explicit PoolAllocator(const Options& options) noexcept
        : PoolBase({.backing = options.backing,
                    .slot_bytes = sizeof(T),
                    .alignment = std::align_val_t{alignof(T)},
                    .first_chunk_slots = options.first_chunk_slots,
                    .growable = options.growth == Growth::grow},
                   options.name) {}

    /// One object. Gives its slot back where the constructor throws.
    template <class... Args>
        requires std::is_constructible_v<T, Args...>
    Result<T*> create(Args&&... args) noexcept(std::is_nothrow_constructible_v<T, Args...>)
        CARBIDE_LIFETIMEBOUND {
        void* const memory = take();
        if (memory == nullptr) [[unlikely]] {
            return std::unexpected(OutOfMemory{});
        }
        GiveOnThrow guard{this, memory};
        T* const object = ::new (memory) T(std::forward<Args>(args)...);
        guard.pool = nullptr;
        return object;
    }

    /// Runs the destructor and gives the slot back. Null is ignored.
    void destroy(CARBIDE_TAKES_OWNERSHIP T* object) noexcept {
        if (object == nullptr) return;
        object->~T();
        detail::fill_undefined(object, sizeof(T));
        give(object);
    }

private:
    struct GiveOnThrow {
        PoolAllocator* pool;
        void* memory;
        ~GiveOnThrow() {
            if (pool != nullptr) pool->give(memory);
        }
    };
};

}  // namespace carbide
