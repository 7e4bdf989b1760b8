// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>

#include "carbide/check.hpp"
#include "carbide/heap.hpp"
#include "carbide/memory_marks.hpp"

/// Tells clang's analyzer which calls hand memory out and take it back. The bodies are hidden from
/// it, because an inlined call through the table would hide a leak.
#ifdef __clang_analyzer__
#define CARBIDE_RETURNS_OWNED __attribute__((ownership_returns(malloc)))
#define CARBIDE_TAKES_OWNED(index) __attribute__((ownership_takes(malloc, index)))
#else
#define CARBIDE_RETURNS_OWNED
#define CARBIDE_TAKES_OWNED(index)
#endif

namespace carbide {

/// What new and freed memory is filled with in checked builds.
inline constexpr unsigned char undefined_byte = 0xAA;

namespace detail {

/// A distinct, aligned, non-null address for an allocation of zero bytes. Never dereferenced.
[[gnu::always_inline]] inline void* zero_size_token(std::align_val_t alignment) noexcept {
    return reinterpret_cast<void*>(static_cast<std::uintptr_t>(alignment));
}

[[gnu::always_inline]] inline void fill_undefined([[maybe_unused]] void* memory,
                                                  [[maybe_unused]] std::size_t size_bytes) {
    if constexpr (checked_build) {
        // Hides the size from g++, which warns of sizes that no heap ever grants.
        asm("" : "+r"(size_bytes));
        std::memset(memory, undefined_byte, size_bytes);
    }
}

/// Whether a resize to this size is a free. Clang's analyzer does not see it as one, because it
/// could not tell from the result which of the two a resize was, and would report later uses.
[[gnu::always_inline]] inline bool only_frees([[maybe_unused]] std::size_t new_bytes) noexcept {
#ifdef __clang_analyzer__
    return false;
#else
    return new_bytes == 0;
#endif
}

/// Whether a window has to be looked for at all. `Slow` may know that its heap never has one.
template <class Slow>
[[nodiscard]] consteval bool may_have_window() noexcept {
    if constexpr (requires { Slow::has_window(); }) return Slow::has_window();
    return true;
}

/// The inlined fast path. `Slow` is the class whose static `slow_*` functions stand behind it: the
/// handle, which calls through the table, or a concrete allocator, which calls itself.
#ifdef __clang_analyzer__
template <class Slow>
void* alloc_bytes(Heap& heap, std::size_t size_bytes,
                  std::align_val_t alignment) noexcept CARBIDE_RETURNS_OWNED;
template <class Slow>
void free_bytes(Heap& heap, void* memory, std::size_t size_bytes,
                std::align_val_t alignment) noexcept CARBIDE_TAKES_OWNED(2);
#else
template <class Slow>
[[gnu::always_inline]] inline void* alloc_bytes(Heap& heap, std::size_t size_bytes,
                                                std::align_val_t alignment) noexcept {
    const auto alignment_bytes = static_cast<std::size_t>(alignment);
    CARBIDE_CHECK(std::has_single_bit(alignment_bytes), "the alignment is not a power of two");
    if (size_bytes == 0) return zero_size_token(alignment);
    if constexpr (checked_build) check_owner(heap);

    if constexpr (!may_have_window<Slow>()) {
        void* const memory = Slow::slow_alloc(heap, size_bytes, alignment);
        if (checked_build && memory != nullptr) fill_undefined(memory, size_bytes);
        return memory;
    }
    const std::uintptr_t cursor = heap.cursor;
    const bool aligned =
        alignment_bytes <= window_granule_bytes || (cursor & (alignment_bytes - 1)) == 0;
    // Exact size against a window of whole granules: what fits does so rounded up, too.
    if (!aligned || size_bytes > heap.limit - cursor) {
        void* const memory = Slow::slow_alloc(heap, size_bytes, alignment);
        if (checked_build && memory != nullptr) fill_undefined(memory, size_bytes);
        return memory;
    }
    // Two ways to say that `memory` is not null, so that no caller tests for it: g++ understands
    // the first, clang the second. tests/cost holds the count of instructions.
    if (cursor == 0) __builtin_unreachable();
    heap.cursor = cursor + window_bytes(size_bytes);
    void* const memory = reinterpret_cast<std::byte*>(heap.cursor) - window_bytes(size_bytes);
    mark_undefined_inline(memory, size_bytes);
    fill_undefined(memory, size_bytes);
    return memory;
}

template <class Slow>
[[gnu::always_inline]] inline void free_bytes(Heap& heap, void* memory, std::size_t size_bytes,
                                              std::align_val_t alignment) noexcept {
    if (size_bytes == 0) return;
    if constexpr (checked_build) check_owner(heap);

    [[maybe_unused]] const auto address = reinterpret_cast<std::uintptr_t>(memory);
    // Alignment above the granule may have left padding below, which the slow path remembers.
    if (may_have_window<Slow>() && static_cast<std::size_t>(alignment) <= window_granule_bytes &&
        address + window_bytes(size_bytes) == heap.cursor) {
        fill_undefined(memory, size_bytes);
        heap.cursor = address;
        mark_no_access_inline(memory, size_bytes);
        return;
    }
    if (checked_build && !heap.vtable->verifies_frees) fill_undefined(memory, size_bytes);
    Slow::slow_free(heap, memory, size_bytes, alignment);
}
#endif

}  // namespace detail

/// The untyped layer: bytes in, bytes out, null or `false` for failure. `Self` has `heap()` and the
/// static functions `slow_alloc`, `slow_resize`, `slow_remap` and `slow_free`.
template <class Self>
class RawOperations {
public:
    [[nodiscard, gnu::always_inline]] void* raw_alloc(std::size_t size_bytes,
                                                      std::align_val_t alignment) const noexcept {
        return detail::alloc_bytes<Self>(heap(), size_bytes, alignment);
    }

    /// In place or `false`. To 0 bytes it frees and returns `true`; from 0 bytes only 0 succeeds.
    [[nodiscard]] bool raw_resize(void* memory, std::size_t old_bytes, std::size_t new_bytes,
                                  std::align_val_t alignment) const noexcept {
        if (old_bytes == new_bytes) return true;
        if (old_bytes == 0) return false;
        if (detail::only_frees(new_bytes)) {
            raw_free(memory, old_bytes, alignment);
            return true;
        }
        if constexpr (checked_build) detail::check_owner(heap());
        if (!Self::slow_resize(heap(), memory, old_bytes, new_bytes, alignment)) return false;
        fill_grown(memory, old_bytes, new_bytes);
        return true;
    }

    /// Null: nothing changed, and a copy by the caller would cost no more.
    [[nodiscard]] void* raw_remap(void* memory, std::size_t old_bytes, std::size_t new_bytes,
                                  std::align_val_t alignment) const noexcept {
        if (old_bytes == new_bytes) return memory;
        if (old_bytes == 0) return nullptr;
        if (detail::only_frees(new_bytes)) {
            raw_free(memory, old_bytes, alignment);
            return detail::zero_size_token(alignment);
        }
        if constexpr (checked_build) detail::check_owner(heap());
        void* const moved = Self::slow_remap(heap(), memory, old_bytes, new_bytes, alignment);
        if (moved != nullptr) fill_grown(moved, old_bytes, new_bytes);
        return moved;
    }

    /// Remap, or else allocate, copy and free. On null the old allocation is untouched.
    [[nodiscard]] void* raw_realloc(void* memory, std::size_t old_bytes, std::size_t new_bytes,
                                    std::align_val_t alignment) const noexcept {
        void* const moved = raw_remap(memory, old_bytes, new_bytes, alignment);
        if (moved != nullptr || new_bytes == 0) return moved;
        void* const fresh = raw_alloc(new_bytes, alignment);
        if (fresh == nullptr || old_bytes == 0) return fresh;
        if (memory == nullptr) __builtin_unreachable();  // The analyzer doubts it.
        std::memcpy(fresh, memory, old_bytes < new_bytes ? old_bytes : new_bytes);
        raw_free(memory, old_bytes, alignment);
        return fresh;
    }

    [[gnu::always_inline]] void raw_free(void* memory, std::size_t size_bytes,
                                         std::align_val_t alignment) const noexcept {
        detail::free_bytes<Self>(heap(), memory, size_bytes, alignment);
    }

protected:
    [[nodiscard]] Heap& heap() const noexcept { return static_cast<const Self*>(this)->heap(); }

private:
    static void fill_grown(void* memory, std::size_t old_bytes, std::size_t new_bytes) noexcept {
        if (new_bytes <= old_bytes) return;
        detail::fill_undefined(static_cast<std::byte*>(memory) + old_bytes, new_bytes - old_bytes);
    }
};

}  // namespace carbide
