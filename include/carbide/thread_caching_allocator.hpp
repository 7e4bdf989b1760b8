// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <optional>

#include "carbide/heap_operations.hpp"
#include "carbide/heap_statistics.hpp"
#include "carbide/page_allocator.hpp"
#include "carbide/thread_bins.hpp"

namespace carbide {

namespace caching {
class CachingState;
}

/// For production: any size, many threads, memory that goes back.
///
/// Use it as the allocator of a program and as the backing of arenas and pools. Avoid it where
/// lifetimes are known: an arena or a pool is faster still; and while you look for mistakes: it
/// trusts sizes, alignments and pointers, but for what `hardened` verifies.
///
/// Memory         Chunks of 4 MiB from `backing`, cut into slabs of slots of one size: 72 sizes up
///                to 32 KiB, at most an eighth above what was asked for, or 15 bytes. Larger ones
///                are runs of 16 KiB units; above 1 MiB each has a mapping of its own.
/// Ownership      Owns its chunks; the destructor gives everything back, lent out or not. No thread
///                may be using it then. Borrows `backing`.
/// Out of memory  When the backing is, after its own caches were given up for it.
/// Threads        Any number, and `backing` must be one that threads share, even where a lock is
///                around the allocator. What one thread frees of another's goes back in batches.
/// Cost           A load, a compare and two stores in the bins of the thread, inlined. A lock per
///                batch. 1 KiB of bins and up to 50 KiB of entries per thread. docs/production.md
///                has the measurements.
/// Source         S. Ghemawat, P. Menage: TCMalloc; J. Bonwick, J. Adams: Magazines and Vmem, 2001,
///                for the depot of each size class. docs/production.md has the differences.
class ThreadCachingAllocator : public HeapOperations<ThreadCachingAllocator> {
public:
    struct Options {
        /// Where chunks, huge allocations and bookkeeping come from. The pages inside of chunks
        /// are given back by madvise, whatever the backing is.
        Allocator backing = page_allocator();

        /// Free memory that is kept from the system: this, or a quarter of what is in use. More is
        /// given back at once.
        std::size_t retained_bytes_max = std::size_t{4} << 20;

        /// What is retained, and was not used for so long, is given back by the next slow call.
        unsigned decay_ms = 500;

        /// Verifies every free where it is made: a second free, a foreign pointer, a wrong size or
        /// alignment stop the program. Places slots at random, encodes the entries of the bins with
        /// a secret, and ends each slab with a page that nobody may touch.
        bool hardened = false;

        /// Asks the system for pages of 2 MiB: fewer misses of the TLB, more memory resident.
        bool huge_pages = false;

        const char* name = "thread caching";
    };

    /// Allocates nothing until the first request. Up to 15 allocators at a time have thread caches;
    /// a further one takes a lock for every operation.
    explicit ThreadCachingAllocator(const Options& options) noexcept;
    ThreadCachingAllocator() noexcept;
    ~ThreadCachingAllocator();

    /// Bytes that the allocation at this address may use: at least what was asked for. 0 for an
    /// address that is not the start of a slot of this allocator.
    [[nodiscard]] std::size_t size_of(const void* memory) const noexcept;

    /// Whether the address lies in memory that this allocator has for allocations.
    [[nodiscard]] bool owns(const void* memory) const noexcept;

    /// An allocation of `size_of` bytes that is freed without its size and alignment.
    void free_unsized(void* memory) noexcept;

    /// Gives back what can be: this thread's bins, the depots, all free pages. Other threads keep
    /// their bins. Returns the bytes given back. Linear in the memory held.
    std::size_t collect() noexcept;

    /// Exact while no other thread uses the allocator. Linear in the memory held.
    [[nodiscard]] HeapStatistics statistics() const noexcept;

    /// Walks everything but other threads' bins. For tests; linear.
    [[nodiscard]] bool is_valid() const noexcept;

private:
    friend HeapOperations;
    friend struct ProcessWideCaching;

    static constexpr bool verifies_frees = true;  // Where hardened.
    static constexpr bool has_window = false;

    // The process-wide instance.
    constexpr ThreadCachingAllocator(const char* heap_name, unsigned slot) noexcept
        : HeapOperations(heap_name, Sharing::shared), slot_(slot) {
        cursor = limit = detail::bins_tag(slot);
    }

    [[gnu::always_inline]] static void* slow_alloc(Heap& heap, std::size_t size_bytes,
                                                   std::align_val_t alignment) noexcept {
        if (detail::is_binned(size_bytes, alignment)) [[likely]] {
            void* const memory = detail::take_binned(heap.cursor, size_bytes);
            if (memory != nullptr) [[likely]]
                return memory;
        }
        return miss_alloc(heap, size_bytes, alignment);
    }
    [[gnu::always_inline]] static void slow_free(Heap& heap, void* memory, std::size_t size_bytes,
                                                 std::align_val_t alignment) noexcept {
        if (!checked_build && detail::is_binned(size_bytes, alignment)) [[likely]] {
            if (detail::give_binned(heap.cursor, memory, size_bytes)) [[likely]]
                return;
        }
        miss_free(heap, memory, size_bytes, alignment);
    }
    static bool slow_resize(Heap& heap, void* memory, std::size_t old_bytes, std::size_t new_bytes,
                            std::align_val_t alignment) noexcept;
    static void* slow_remap(Heap& heap, void* memory, std::size_t old_bytes, std::size_t new_bytes,
                            std::align_val_t alignment) noexcept;

    static void* miss_alloc(Heap& heap, std::size_t size_bytes,
                            std::align_val_t alignment) noexcept;
    static void miss_free(Heap& heap, void* memory, std::size_t size_bytes,
                          std::align_val_t alignment) noexcept;

    [[nodiscard]] caching::CachingState* state() const noexcept {
        return state_.load(std::memory_order_acquire);
    }
    [[nodiscard]] caching::CachingState* ready_state() noexcept;

    std::atomic<caching::CachingState*> state_ = nullptr;
    unsigned slot_;                   // In `thread_bins`.
    std::optional<Options> options_;  // None: the defaults.
};

/// The process-wide instance. Usable from the first static constructor to the last destructor, and
/// in destructors of thread-local objects.
[[nodiscard]] ThreadCachingAllocator& thread_caching_allocator() noexcept;

}  // namespace carbide
