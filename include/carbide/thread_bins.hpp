// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>

#include "carbide/memory_marks.hpp"
#include "carbide/size_class.hpp"

/// The part of `ThreadCachingAllocator` that is inlined into callers, behind the handle as well.
///
///     heap.cursor ──tag──▶ thread_bins[slot]     thread-local: the bins of this thread
///                              │
///                              ▼
///     bins[size class]:  { top, end }
///
///     entries:   null | address | address | address |  ...  |
///                                          ^ top             ^ end
///
/// A bin is a stack of addresses of free slots, apart from the slots themselves: freeing touches no
/// byte of what is freed, and a stale pointer reaches no link of the allocator. Below the lowest
/// entry stands a null, so that one load yields both the slot and whether there is one.
///
/// Invariant: lowest <= top <= end, where `lowest` is the first entry behind the null.
namespace carbide::detail {

/// The largest size that has a bin, and the largest alignment that every slot has.
inline constexpr std::size_t binned_bytes_max = std::size_t{32} << 10;
inline constexpr std::size_t slot_alignment_bytes = 16;
inline constexpr unsigned bin_count = size_class_of(binned_bytes_max) + 1;

struct ThreadBin {
    void** top;  // Read by other threads, for statistics; both only written by their own.
    void** end;
};

struct ThreadBins {
    ThreadBin bins[bin_count];
};

/// Which bins a thread uses for which allocator. The last slot is no allocator's.
inline constexpr unsigned bin_slot_count = 16;
inline constexpr unsigned closed_bin_slot = bin_slot_count - 1;
inline constexpr unsigned process_wide_bin_slot = 0;

/// Never null: a thread without bins has those that are empty and full at once.
[[gnu::tls_model("initial-exec"), gnu::visibility("default")]]
extern constinit thread_local ThreadBins* thread_bins[bin_slot_count];

/// What stands in `cursor` and `limit` of a heap with bins: an empty window, and where in
/// `thread_bins` they are found. Odd, which no cursor of a window is.
[[nodiscard]] constexpr std::uintptr_t bins_tag(unsigned slot) noexcept {
    return slot * sizeof(ThreadBins*) | 1;
}
[[nodiscard, gnu::always_inline]] inline bool is_bins_tag(std::uintptr_t cursor) noexcept {
    return (cursor & 1) != 0;
}

[[nodiscard, gnu::always_inline]] inline ThreadBins& bins_by_tag(std::uintptr_t tag) noexcept {
    auto* const slots = reinterpret_cast<std::byte*>(thread_bins);
    return **reinterpret_cast<ThreadBins**>(slots + (tag - 1));
}

[[nodiscard, gnu::always_inline]] constexpr bool is_binned(std::size_t size_bytes,
                                                           std::align_val_t alignment) noexcept {
    return size_bytes <= binned_bytes_max &&
           static_cast<std::size_t>(alignment) <= slot_alignment_bytes;
}

/// A slot, or null where the bin is empty.
[[nodiscard, gnu::always_inline]] inline void* pop(ThreadBin& bin) noexcept {
    void** const top = __atomic_load_n(&bin.top, __ATOMIC_RELAXED);
    void* const memory = top[-1];
    if (memory == nullptr) [[unlikely]]
        return nullptr;
    __atomic_store_n(&bin.top, top - 1, __ATOMIC_RELAXED);
    return memory;
}

/// False where the bin is full.
[[nodiscard, gnu::always_inline]] inline bool push(ThreadBin& bin, void* memory) noexcept {
    void** const top = __atomic_load_n(&bin.top, __ATOMIC_RELAXED);
    if (top == bin.end) [[unlikely]]
        return false;
    *top = memory;
    // A child after fork must find no entry below `top` that was not stored.
    __atomic_store_n(&bin.top, top + 1, __ATOMIC_RELEASE);
    return true;
}

/// An allocation of a binned size from this thread's bins, or null.
[[nodiscard, gnu::always_inline]] inline void* take_binned(std::uintptr_t tag,
                                                           std::size_t size_bytes) noexcept {
    void* const memory = pop(bins_by_tag(tag).bins[size_class_of(size_bytes)]);
    if (CARBIDE_ASAN && memory != nullptr) mark_undefined_inline(memory, size_bytes);
    return memory;
}

[[nodiscard, gnu::always_inline]] inline bool give_binned(std::uintptr_t tag, void* memory,
                                                          std::size_t size_bytes) noexcept {
    if (!push(bins_by_tag(tag).bins[size_class_of(size_bytes)], memory)) return false;
    mark_no_access_inline(memory, size_bytes);
    return true;
}

}  // namespace carbide::detail
