// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <new>

#include "carbide/heap.hpp"
#include "carbide/operations.hpp"
#include "carbide/thread_bins.hpp"

namespace carbide {

/// The handle that is injected: one pointer, passed by value, to any allocator.
///
/// Every function that allocates takes one. Name the parameter for its role (`backing`, `scratch`,
/// `arena`), because the role tells whether what comes from it must be freed.
///
/// The contract, which every allocator keeps; each header states only its differences:
///
///   alloc    New memory is undefined: 0xAA in checked builds. Failure is `OutOfMemory`, and
///            leaves everything as it was. A size that overflows is out of memory, too.
///   zero     A request for 0 bytes succeeds with an aligned token that is not null, never reaches
///            the allocator, and may be freed any number of times.
///   free     Size and alignment must be those of the allocation; the typed layer derives them
///            from `T` and the slice. Debug allocators verify them, fast ones rely on them.
///   resize   In place, or `false` and nothing has changed. Shrinking may fail, too.
///   remap    May move. Nothing where a copy by the caller would cost no less.
///   realloc  `remap`, or else allocate, copy, free. On failure the old allocation stays.
///   create   Constructs one object; its memory goes back where the constructor throws.
///   types    `alloc` wants types that need no constructor, `resize`, `remap`, `realloc` and
///            `dupe` trivially copyable ones. A checker may not see the bytes that are not lent
///            out: under AddressSanitizer and Valgrind, touching them is an error.
///   threads  As many as the allocator says. One with a window belongs to one thread at a time.
///   lifetime The allocator outlives its handles and whatever came from them. It never moves.
///
/// Handles are not compared: two different ones may free each other's memory, or may not.
class [[nodiscard]] Allocator : public Operations<Allocator> {
public:
    /// For the authors of allocators: a handle to a heap that starts with this header.
    constexpr explicit Allocator(Heap& heap) noexcept : heap_(&heap) {}

    /// For the authors of allocators: the header behind the handle.
    [[nodiscard]] constexpr Heap& heap() const noexcept { return *heap_; }

    /// The allocator's name, for reports.
    [[nodiscard]] constexpr const char* name() const noexcept { return heap_->name; }

private:
    template <class Self>
    friend class RawOperations;
    template <class Slow>
    friend void* detail::alloc_bytes(Heap&, std::size_t, std::align_val_t) noexcept;
    template <class Slow>
    friend void detail::free_bytes(Heap&, void*, std::size_t, std::align_val_t) noexcept;

    // Where the alignment is a constant, as it is for every type, what a heap keeps for this thread
    // is taken without a call; a constant size leaves a few instructions of that.
    [[gnu::always_inline]] static void* slow_alloc(Heap& heap, std::size_t size_bytes,
                                                   std::align_val_t alignment) noexcept {
        if (__builtin_constant_p(alignment) != 0 && detail::is_binned(size_bytes, alignment) &&
            detail::is_bins_tag(heap.cursor)) {
            void* const memory = detail::take_binned(heap.cursor, size_bytes);
            if (memory != nullptr) return memory;
        }
        return heap.vtable->alloc(heap, size_bytes, alignment);
    }
    static bool slow_resize(Heap& heap, void* memory, std::size_t old_bytes, std::size_t new_bytes,
                            std::align_val_t alignment) noexcept {
        return heap.vtable->resize(heap, memory, old_bytes, new_bytes, alignment);
    }
    static void* slow_remap(Heap& heap, void* memory, std::size_t old_bytes, std::size_t new_bytes,
                            std::align_val_t alignment) noexcept {
        return heap.vtable->remap(heap, memory, old_bytes, new_bytes, alignment);
    }
    [[gnu::always_inline]] static void slow_free(Heap& heap, void* memory, std::size_t size_bytes,
                                                 std::align_val_t alignment) noexcept {
        if (!checked_build && __builtin_constant_p(alignment) != 0 &&
            detail::is_binned(size_bytes, alignment) && detail::is_bins_tag(heap.cursor)) {
            if (detail::give_binned(heap.cursor, memory, size_bytes)) return;
        }
        heap.vtable->free(heap, memory, size_bytes, alignment);
    }

    Heap* heap_;
};

static_assert(sizeof(Allocator) == sizeof(void*));
static_assert(std::is_trivially_copyable_v<Allocator>);

}  // namespace carbide
