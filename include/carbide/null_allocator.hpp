// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <new>

#include "carbide/heap_operations.hpp"

namespace carbide {

/// Always out of memory.
///
/// Use it as the backing of what must do with the bytes it has, and in tests of code that should
/// not allocate. Avoid it where an allocation should fail at a chosen point: `FailingAllocator`.
///
/// Memory         None.
/// Ownership      None: whatever is freed or resized through it belongs to another allocator, and
///                stops the program.
/// Out of memory  Always, but for requests of 0 bytes.
/// Threads        Any number.
/// Cost           One indirect call.
/// Source         Zig 0.15 `std.mem.Allocator.failing`.
class NullAllocator : public HeapOperations<NullAllocator> {
public:
    constexpr explicit NullAllocator(const char* name = "null") noexcept
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
[[nodiscard]] Allocator null_allocator() noexcept;

}  // namespace carbide
