// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <new>

#include "carbide/heap_operations.hpp"

namespace carbide {

/// Whole pages from the operating system, a mapping for every allocation.
///
/// Use it for large buffers, for what is allocated once at start-up, and as the backing of arenas
/// and pools. Avoid it for small objects: each takes at least a page and two system calls.
///
/// Memory         mmap and munmap. Fresh pages are zero; the rest of the last page is wasted.
/// Ownership      None: it has no state.
/// Out of memory  When the kernel refuses: address space, overcommit limit, count of mappings.
/// Threads        Any number.
/// Cost           A system call per operation; `resize` and `remap` move page tables (mremap), not
///                bytes.
/// Source         Zig 0.15 `std.heap.page_allocator`.
class PageAllocator : public HeapOperations<PageAllocator> {
public:
    constexpr explicit PageAllocator(const char* name = "pages") noexcept
        : HeapOperations(name, Sharing::shared) {}

private:
    friend HeapOperations;

    // So that nobody fills what is unmapped next.
    static constexpr bool verifies_frees = true;

    static void* slow_alloc(Heap& heap, std::size_t size_bytes,
                            std::align_val_t alignment) noexcept;
    static bool slow_resize(Heap& heap, void* memory, std::size_t old_bytes, std::size_t new_bytes,
                            std::align_val_t alignment) noexcept;
    static void* slow_remap(Heap& heap, void* memory, std::size_t old_bytes, std::size_t new_bytes,
                            std::align_val_t alignment) noexcept;
    static void slow_free(Heap& heap, void* memory, std::size_t size_bytes,
                          std::align_val_t alignment) noexcept;
};

/// The process-wide instance. Usable from the first static constructor to the last destructor.
[[nodiscard]] Allocator page_allocator() noexcept;

}  // namespace carbide
