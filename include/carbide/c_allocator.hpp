// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <new>

#include "carbide/heap_operations.hpp"

namespace carbide {

/// malloc behind the handle, at every alignment.
///
/// Use it as the general backing of a program that has no better one, and where memory crosses to
/// C code that calls `free`. Avoid it where you look for mistakes: it verifies nothing.
///
/// Memory         malloc, and posix_memalign above `alignof(std::max_align_t)`.
/// Ownership      None: it has no state.
/// Out of memory  When malloc says so. errno is malloc's.
/// Threads        Any number.
/// Cost           That of malloc, and one indirect call.
/// Source         Zig 0.15 `std.heap.c_allocator`; `remap` is realloc here as well.
class CAllocator : public HeapOperations<CAllocator> {
public:
    constexpr explicit CAllocator(const char* name = "malloc") noexcept
        : HeapOperations(name, Sharing::shared) {}

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
};

/// The process-wide instance. Usable from the first static constructor to the last destructor.
[[nodiscard]] Allocator c_allocator() noexcept;

}  // namespace carbide
