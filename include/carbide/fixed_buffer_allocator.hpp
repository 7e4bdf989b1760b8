// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <span>

#include "carbide/bump_window.hpp"
#include "carbide/heap_operations.hpp"

namespace carbide {

/// Allocates from bytes that you already have, and from nothing else.
///
/// Use it where the maximum is known: on the stack, in static storage, without a heap at all.
/// Avoid it for frees in arbitrary order: only the newest allocation gives its bytes back.
///
/// Memory         The given buffer. Each allocation is rounded up to 8 bytes and begins at a
///                multiple of 8; the odd bytes at the two ends of the buffer serve where an
///                allocation does not fit without them.
/// Ownership      Borrows the buffer, which must outlive it and every allocation.
/// Out of memory  When the buffer is used up.
/// Threads        One at a time, but for `shared_view()`.
/// Cost           Inlined bump; no bookkeeping in the buffer.
/// Source         Zig 0.15 `std.heap.FixedBufferAllocator`, which loses the padding below a freed
///                allocation and adds sizes unchecked.
class FixedBufferAllocator : public HeapOperations<FixedBufferAllocator> {
public:
    explicit FixedBufferAllocator(std::span<std::byte> buffer CARBIDE_LIFETIMEBOUND,
                                  const char* name = "fixed buffer") noexcept;
    ~FixedBufferAllocator();

    /// Ends the lifetime of every allocation.
    void reset() noexcept;

    /// A handle for any number of threads, without a lock: it allocates with one compare and swap,
    /// refuses to resize, and frees nothing before `reset`. While it is in use, nobody uses the
    /// allocator itself.
    [[nodiscard]] Allocator shared_view() noexcept CARBIDE_LIFETIMEBOUND;

    /// True for an address within the buffer, lent out or not.
    [[nodiscard]] bool owns(const void* memory) const noexcept;

    /// True where all of the slice lies within the buffer.
    [[nodiscard]] bool owns_slice(std::span<const std::byte> slice) const noexcept;

    /// Bytes that are not available to the next allocation, alignment aside.
    [[nodiscard]] std::size_t used_bytes() const noexcept;

    [[nodiscard]] std::size_t capacity_bytes() const noexcept { return buffer_.size(); }

private:
    friend HeapOperations;

    class SharedView : public HeapOperations<SharedView> {
    public:
        SharedView(FixedBufferAllocator& buffer, const char* name) noexcept
            : HeapOperations(name, Sharing::shared), buffer_(buffer) {}

    private:
        friend HeapOperations;
        static void* slow_alloc(Heap&, std::size_t, std::align_val_t) noexcept;
        static bool slow_resize(Heap&, void*, std::size_t, std::size_t, std::align_val_t) noexcept;
        static void* slow_remap(Heap&, void*, std::size_t, std::size_t, std::align_val_t) noexcept;
        static void slow_free(Heap&, void*, std::size_t, std::align_val_t) noexcept;

        FixedBufferAllocator& buffer_;
    };

    static void* slow_alloc(Heap& heap, std::size_t size_bytes,
                            std::align_val_t alignment) noexcept;
    static bool slow_resize(Heap& heap, void* memory, std::size_t old_bytes, std::size_t new_bytes,
                            std::align_val_t alignment) noexcept;
    static void* slow_remap(Heap& heap, void* memory, std::size_t old_bytes, std::size_t new_bytes,
                            std::align_val_t alignment) noexcept;
    static void slow_free(Heap& heap, void* memory, std::size_t size_bytes,
                          std::align_val_t alignment) noexcept;
    static bool slow_owns(Heap& heap, const void* memory) noexcept;

    [[nodiscard]] void* alloc_odd(std::size_t size_bytes, std::align_val_t alignment) noexcept;
    [[nodiscard]] bool resize_odd(std::uintptr_t address, std::size_t old_bytes,
                                  std::size_t new_bytes) noexcept;
    void free_odd(std::uintptr_t address, std::size_t size_bytes) noexcept;
    [[nodiscard]] bool is_head(std::uintptr_t address) const noexcept;
    [[nodiscard]] bool is_odd(std::uintptr_t address) const noexcept;

    [[nodiscard]] std::uintptr_t begin() const noexcept;
    [[nodiscard]] std::uintptr_t end() const noexcept;
    [[nodiscard]] std::uintptr_t window_begin() const noexcept;
    [[nodiscard]] std::uintptr_t window_limit() const noexcept;
    [[nodiscard]] std::uintptr_t head_cursor(std::size_t size_bytes) const noexcept;

    std::span<std::byte> buffer_;
    BumpWindow window_;
    std::uintptr_t tail_ = 0;  // The allocation that holds the odd bytes at the end, or 0.
    bool head_lent_ = false;   // Whether one holds the odd bytes at the beginning.
    SharedView shared_view_;
};

}  // namespace carbide
