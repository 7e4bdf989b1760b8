// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>

#include "carbide/heap.hpp"

namespace carbide {

/// The slow half of a heap with a window, for the authors of allocators: the over-aligned
/// requests, the frees and the resizes that the inlined path leaves alone.
///
///   begin                             cursor            limit
///     | lent | padding, link | lent     | free ...        |
///                           ^ newest_padded
///
/// An allocation with an alignment above the granule may need padding in front. Its last word
/// links to the padded allocation before it, so that freeing newest-first gives every byte back.
///
/// Where a checker watches that inlined code could not tell about its allocations, the window
/// shown to handles stays empty, and the true one is kept here.
///
/// Memory         None of its own: five words in the allocator that has it.
/// Ownership      Borrows the heap header and the bytes.
/// Out of memory  `alloc` returns null; nothing has changed.
/// Threads        One at a time.
/// Cost           O(1) everywhere.
/// Source         The free of a padded allocation is where Zig 0.15's FixedBufferAllocator loses
///                bytes; the links are ours.
class BumpWindow {
public:
    explicit BumpWindow(Heap& heap) noexcept;

    /// What must be restored to free everything newer at once.
    struct Position {
        std::uintptr_t cursor;
        std::uintptr_t newest_padded;
    };

    /// Begins anew with [begin, limit), both multiples of the granule. Marks them as not lent.
    void open(std::uintptr_t begin, std::uintptr_t limit) noexcept;

    /// Goes on, or back, to where a window was at `position`: what is newer is not lent any more.
    void reopen(Position position, std::uintptr_t limit) noexcept;

    [[nodiscard]] void* alloc(std::size_t size_bytes, std::align_val_t alignment) noexcept;

    /// For many threads at once, lock-free, while nothing but this is called. What it lends is not
    /// given back one by one.
    [[nodiscard]] void* alloc_shared(std::size_t size_bytes, std::align_val_t alignment) noexcept;

    /// Grows the newest allocation, and any within its granule. Shrinks always.
    [[nodiscard]] bool resize(void* memory, std::size_t old_bytes, std::size_t new_bytes) noexcept;

    /// Takes the newest allocation back, with the padding below it. Others only become
    /// inaccessible.
    void free(void* memory, std::size_t size_bytes) noexcept;

    [[nodiscard]] Position position() const noexcept { return {cursor(), newest_padded_}; }
    [[nodiscard]] std::uintptr_t cursor() const noexcept;
    [[nodiscard]] std::uintptr_t limit() const noexcept;

    /// Moves the end of the window, never below the cursor.
    void set_limit(std::uintptr_t limit) noexcept;

private:
    [[nodiscard]] bool is_watched() const noexcept;
    void set_cursor(std::uintptr_t cursor) noexcept;
    [[gnu::noinline]] void* alloc_watched(std::size_t size_bytes,
                                          std::align_val_t alignment) noexcept;
    void* take(std::size_t size_bytes, std::align_val_t alignment, bool watched) noexcept;
    void link_padding(std::uintptr_t address, std::size_t padding_bytes, bool watched) noexcept;
    std::size_t unlink_padding(std::uintptr_t address) noexcept;

    Heap& heap_;
    std::uintptr_t newest_padded_ = 0;  // Address of the newest allocation with padding, or 0.
    struct {
        std::uintptr_t cursor = 0;
        std::uintptr_t limit = 0;
    } hidden_;  // The true window, where the one in the heap stays closed.
    bool closed_;
};

}  // namespace carbide
