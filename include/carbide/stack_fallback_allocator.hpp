// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <new>
#include <span>

#include "carbide/bump_window.hpp"
#include "carbide/heap_operations.hpp"

namespace carbide {

/// What `StackFallbackAllocator` is for every size; use that one.
class StackFallbackBase : public HeapOperations<StackFallbackBase> {
public:
    /// True for an address within the buffer, lent out or not.
    [[nodiscard]] bool owns(const void* memory) const noexcept;

    /// Bytes of the buffer that are in use, padding included.
    [[nodiscard]] std::size_t used_bytes() const noexcept;

protected:
    // `buffer` lies behind this object in the same complete object: so no allocation of the
    // fallback ends where the window begins, and a free cannot be mistaken for one of ours.
    StackFallbackBase(std::span<std::byte> buffer, Allocator fallback, const char* name) noexcept;
    ~StackFallbackBase();

private:
    friend HeapOperations;

    static constexpr bool verifies_frees = true;  // As the fallback may.

    static void* slow_alloc(Heap& heap, std::size_t size_bytes,
                            std::align_val_t alignment) noexcept;
    static bool slow_resize(Heap& heap, void* memory, std::size_t old_bytes, std::size_t new_bytes,
                            std::align_val_t alignment) noexcept;
    static void* slow_remap(Heap& heap, void* memory, std::size_t old_bytes, std::size_t new_bytes,
                            std::align_val_t alignment) noexcept;
    static void slow_free(Heap& heap, void* memory, std::size_t size_bytes,
                          std::align_val_t alignment) noexcept;
    static bool slow_owns(Heap& heap, const void* memory) noexcept;

    std::span<std::byte> buffer_;
    Allocator fallback_;
    BumpWindow window_;
};

/// A buffer inside the object, and another allocator for what does not fit.
///
/// Use it for work that is small nearly always and must not fail when it is not: place it on the
/// stack and inject it. Avoid it for many frees in arbitrary order: in the buffer, only the newest
/// allocation gives its bytes back.
///
/// Memory         `Bytes` bytes in the object, then `fallback`.
/// Ownership      Owns the buffer. Borrows `fallback`; every allocation must be freed, because it
///                may have come from there.
/// Out of memory  When the buffer is used up and the fallback fails.
/// Threads        One at a time.
/// Cost           Inlined bump; a comparison of addresses on a free that is not the newest.
/// Source         Zig 0.15 `std.heap.stackFallback`.
template <std::size_t Bytes>
class StackFallbackAllocator : public StackFallbackBase {
    static_assert(Bytes > 0 && Bytes % window_granule_bytes == 0, "whole granules of 8 bytes");

public:
    explicit StackFallbackAllocator(Allocator fallback,
                                    const char* name = "stack fallback") noexcept
        : StackFallbackBase(bytes_, fallback, name) {}

private:
    alignas(16) std::byte bytes_[Bytes];
};

}  // namespace carbide
