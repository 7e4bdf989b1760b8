// SPDX-License-Identifier: MIT
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <new>

#include "carbide/check.hpp"

namespace carbide {

struct Heap;

/// The slow path of an allocator. `allocator.hpp` states the contract; every function is noexcept.
/// Sizes are never zero here, and `alignment` is a power of two.
struct VTable {
    /// Null where no memory could be had.
    void* (*alloc)(Heap& heap, std::size_t size_bytes, std::align_val_t alignment) noexcept;

    /// Grows or shrinks in place. On `false` nothing has changed.
    bool (*resize)(Heap& heap, void* memory, std::size_t old_bytes, std::size_t new_bytes,
                   std::align_val_t alignment) noexcept;

    /// Grows or shrinks, moving the content where that is cheaper than a copy by the caller. On
    /// null nothing has changed.
    void* (*remap)(Heap& heap, void* memory, std::size_t old_bytes, std::size_t new_bytes,
                   std::align_val_t alignment) noexcept;

    /// `size_bytes` and `alignment` are those of the allocation.
    void (*free)(Heap& heap, void* memory, std::size_t size_bytes,
                 std::align_val_t alignment) noexcept;

    /// The heap looks at what is freed before it believes it, passes it on to one that may, or
    /// leaves nothing to fill. So the caller leaves the bytes alone, and filling them is up to the
    /// heap.
    bool verifies_frees = false;

    /// For reports: whether the address lies in memory that the heap has taken for itself. Null
    /// where it cannot tell. May be asked by another thread than the owner, in a broken program.
    bool (*owns)(Heap& heap, const void* memory) noexcept = nullptr;
};

/// Who may use a heap.
enum class Sharing : unsigned char {
    single_owner,  // One thread at a time; checked builds find a second one.
    shared,        // Any number of threads.
};

/// The header that every allocator starts with and every handle points at.
///
/// [cursor, limit) is the window: free bytes that a handle takes without a call. Both are
/// multiples of `window_granule_bytes`, and `cursor <= limit`. A heap without a window has both 0,
/// or both the tag of its thread-local bins (`thread_bins.hpp`), which is odd.
struct Heap {
    std::uintptr_t cursor = 0;
    std::uintptr_t limit = 0;
    const VTable* vtable;
    const char* name;          // For reports. Outlives the heap.
    std::uintptr_t owner = 0;  // See `check_owner`.

    constexpr Heap(const VTable& operations, const char* heap_name,
                   Sharing sharing = Sharing::single_owner) noexcept
        : vtable(&operations),
          name(heap_name),
          owner(sharing == Sharing::shared ? owner_shared : owner_unclaimed) {}

    /// Turns the header into one whose every use is reported and stops the program, as long as
    /// nothing else is built in its place.
    ~Heap();

    Heap(const Heap&) = delete;  // Handles point at it.
    Heap& operator=(const Heap&) = delete;

    static constexpr std::uintptr_t owner_unclaimed = 0;
    static constexpr std::uintptr_t owner_shared = 1;
};

static_assert(sizeof(Heap) == 5 * sizeof(void*), "docs/design.md draws five words");

/// Allocations from a window start at multiples of this, and take whole multiples of it. So the
/// common alignments need no padding, the newest allocation can always be given back exactly, and
/// AddressSanitizer, whose granule it is, sees every overrun to the byte.
inline constexpr std::size_t window_granule_bytes = 8;

/// The bytes that an allocation of this size takes from a window. Wraps to 0 for sizes above
/// `SIZE_MAX - 7`, which no window can hold.
[[nodiscard]] constexpr std::size_t window_bytes(std::size_t size_bytes) noexcept {
    return (size_bytes + window_granule_bytes - 1) & ~(window_granule_bytes - 1);
}

namespace detail {

/// Claims a single-owner heap for the running thread, or stops the program, naming both threads,
/// where another thread has claimed it.
void check_owner(Heap& heap) noexcept;

/// An owner that is no thread: a lock that serialises access to heaps. What it has claimed is its
/// own while it lives; then whoever comes next may claim it.
class LockOwner {
public:
    /// `name` is for reports, and outlives the lock.
    explicit LockOwner(const char* name) noexcept;
    ~LockOwner();
    LockOwner(const LockOwner&) = delete;  // Locks that live know each other's address.
    LockOwner& operator=(const LockOwner&) = delete;

    /// What `owner` holds after a claim. No later lock has the same.
    [[nodiscard]] std::uintptr_t identity() const noexcept { return identity_; }

    /// The name of the lock with this identity, or null where it lives no more.
    [[nodiscard]] static const char* name_of(std::uintptr_t identity) noexcept;

private:
    std::uintptr_t identity_;
    const char* name_;
    LockOwner* older_;
    LockOwner* newer_ = nullptr;
};

/// While it lives, this thread counts as `lock` for `check_owner`, so that whoever holds the lock
/// is one and the same owner.
class OwnerScope {
public:
    explicit OwnerScope(const LockOwner& lock) noexcept;
    ~OwnerScope();
    OwnerScope(const OwnerScope&) = delete;
    OwnerScope& operator=(const OwnerScope&) = delete;

private:
    std::uintptr_t previous_;
};

/// The running thread's identity: what `owner` holds after a claim.
[[nodiscard]] std::uintptr_t current_owner() noexcept;

}  // namespace detail

}  // namespace carbide
