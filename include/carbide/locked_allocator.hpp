// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <mutex>
#include <new>
#include <utility>

#include "carbide/heap_operations.hpp"

namespace carbide {

/// A mutex around any allocator.
///
/// Use it to share among threads what belongs to one at a time: an arena, a pool. Avoid it around
/// what is shared already, and where threads allocate so often that they would queue: give each
/// its own allocator.
///
/// All use of `backing` goes through the lock, its own operations such as an arena's `reset`
/// through `while_locked`. Checked builds stop a program whose thread allocates from the backing
/// beside the lock. A backing that was used before needs its `detach_from_thread()` first, and so
/// do heaps below it; after the lock's end any thread may take them over.
///
/// What runs under the lock must not use this allocator: a retry callback or a log sink of the
/// backing would wait for itself for ever. Put such allocators around the lock.
///
/// Memory         None of its own.
/// Ownership      Borrows `backing`.
/// Out of memory  When the backing is.
/// Threads        Any number, whatever the backing says.
/// Cost           One call and one lock more per operation; the inlined window is not used by
///                callers, only under the lock.
/// Source         Zig 0.15 `std.heap.ThreadSafeAllocator`.
class LockedAllocator : public HeapOperations<LockedAllocator> {
public:
    struct Options {
        Allocator backing;

        const char* name = "locked";
    };

    explicit LockedAllocator(const Options& options) noexcept;

    /// Calls `work()` while no other thread is inside the backing, and returns what it returns.
    template <class Work>
    decltype(auto) while_locked(Work&& work) {
        const Held held(*this);
        return std::forward<Work>(work)();
    }

private:
    friend HeapOperations;

    static constexpr bool verifies_frees = true;  // As the backing may.

    static void* slow_alloc(Heap& heap, std::size_t size_bytes,
                            std::align_val_t alignment) noexcept;
    static bool slow_resize(Heap& heap, void* memory, std::size_t old_bytes, std::size_t new_bytes,
                            std::align_val_t alignment) noexcept;
    static void* slow_remap(Heap& heap, void* memory, std::size_t old_bytes, std::size_t new_bytes,
                            std::align_val_t alignment) noexcept;
    static void slow_free(Heap& heap, void* memory, std::size_t size_bytes,
                          std::align_val_t alignment) noexcept;

    // The lock, and with it the right to use the backing: whichever thread has it, the owner that
    // the backing sees is the lock. In unchecked builds too, because the backing's slow path may
    // be compiled with checks.
    class Held {
    public:
        explicit Held(LockedAllocator& locked) : lock_(locked.mutex_), scope_(locked.owner_) {}

    private:
        std::lock_guard<std::mutex> lock_;
        detail::OwnerScope scope_;
    };

    Allocator backing_;
    detail::LockOwner owner_;
    std::mutex mutex_;
};

}  // namespace carbide
