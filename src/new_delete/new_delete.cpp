// SPDX-License-Identifier: MIT
#include "carbide/new_delete.hpp"

#include <cstddef>
#include <cstdint>
#include <new>

#include "carbide/check.hpp"
#include "carbide/thread_bins.hpp"
#include "carbide/thread_caching_allocator.hpp"

// Each form of `new` has its `delete`, and both come to the same size and alignment:
//
//     operator new(n)       (n, 16) ◀── operator delete(p, n), and what is looked up for (p)
//     operator new(n, a)    (n, a)  ◀── operator delete(p, n, a), and what is looked up for (p, a)
//
// where n is 1 for 0, because what `new` returns for nothing must be unique.

namespace carbide::detail {

const char new_delete_is_linked = 0;

}  // namespace carbide::detail

namespace {

constexpr std::align_val_t default_alignment{__STDCPP_DEFAULT_NEW_ALIGNMENT__};

constexpr std::size_t at_least_one(std::size_t size_bytes) noexcept {
    return size_bytes + (size_bytes == 0 ? 1 : 0);
}

// The bins are known here, and so the header of the allocator need not be looked at. Checked builds
// take the whole way, because they fill what is allocated and freed.
constexpr std::uintptr_t bins = carbide::detail::bins_tag(carbide::detail::process_wide_bin_slot);

[[gnu::always_inline]] inline void* take(std::size_t size_bytes,
                                         std::align_val_t alignment) noexcept {
    size_bytes = at_least_one(size_bytes);
    if (!carbide::checked_build && carbide::detail::is_binned(size_bytes, alignment)) [[likely]] {
        void* const memory = carbide::detail::take_binned(bins, size_bytes);
        if (memory != nullptr) [[likely]]
            return memory;
    }
    return carbide::thread_caching_allocator().raw_alloc(size_bytes, alignment);
}

[[gnu::cold, gnu::noinline]] void* take_with_handler(std::size_t size_bytes,
                                                     std::align_val_t alignment) {
    for (;;) {
        const std::new_handler handler = std::get_new_handler();
        if (handler == nullptr) throw std::bad_alloc();
        handler();
        void* const memory = take(size_bytes, alignment);
        if (memory != nullptr) return memory;
    }
}

[[gnu::cold, gnu::noinline]] void* take_or_null(std::size_t size_bytes,
                                                std::align_val_t alignment) noexcept {
    // Without a handler nothing is thrown: an exception needs memory, too.
    if (std::get_new_handler() == nullptr) return nullptr;
    try {
        return take_with_handler(size_bytes, alignment);
    } catch (...) {
        return nullptr;
    }
}

[[gnu::always_inline]] inline void* allocate(std::size_t size_bytes, std::align_val_t alignment) {
    void* const memory = take(size_bytes, alignment);
    if (memory != nullptr) [[likely]]
        return memory;
    return take_with_handler(size_bytes, alignment);
}

[[gnu::always_inline]] inline void* allocate_or_null(std::size_t size_bytes,
                                                     std::align_val_t alignment) noexcept {
    void* const memory = take(size_bytes, alignment);
    if (memory != nullptr) [[likely]]
        return memory;
    return take_or_null(size_bytes, alignment);
}

[[gnu::always_inline]] inline void release(void* memory, std::size_t size_bytes,
                                           std::align_val_t alignment) noexcept {
    if (memory == nullptr) return;
    size_bytes = at_least_one(size_bytes);
    if (!carbide::checked_build && carbide::detail::is_binned(size_bytes, alignment)) [[likely]] {
        if (carbide::detail::give_binned(bins, memory, size_bytes)) [[likely]]
            return;
    }
    carbide::thread_caching_allocator().raw_free(memory, size_bytes, alignment);
}

[[gnu::always_inline]] inline void release_unsized(void* memory) noexcept {
    if (memory == nullptr) return;
    carbide::thread_caching_allocator().free_unsized(memory);
}

}  // namespace

// --- new -----------------------------------------------------------------------------------------

void* operator new(std::size_t size_bytes) { return allocate(size_bytes, default_alignment); }
void* operator new[](std::size_t size_bytes) { return allocate(size_bytes, default_alignment); }

void* operator new(std::size_t size_bytes, std::align_val_t alignment) {
    return allocate(size_bytes, alignment);
}
void* operator new[](std::size_t size_bytes, std::align_val_t alignment) {
    return allocate(size_bytes, alignment);
}

void* operator new(std::size_t size_bytes, const std::nothrow_t&) noexcept {
    return allocate_or_null(size_bytes, default_alignment);
}
void* operator new[](std::size_t size_bytes, const std::nothrow_t&) noexcept {
    return allocate_or_null(size_bytes, default_alignment);
}

void* operator new(std::size_t size_bytes, std::align_val_t alignment,
                   const std::nothrow_t&) noexcept {
    return allocate_or_null(size_bytes, alignment);
}
void* operator new[](std::size_t size_bytes, std::align_val_t alignment,
                     const std::nothrow_t&) noexcept {
    return allocate_or_null(size_bytes, alignment);
}

// --- delete --------------------------------------------------------------------------------------

void operator delete(void* memory) noexcept { release_unsized(memory); }
void operator delete[](void* memory) noexcept { release_unsized(memory); }

void operator delete(void* memory, std::align_val_t) noexcept { release_unsized(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { release_unsized(memory); }

void operator delete(void* memory, std::size_t size_bytes) noexcept {
    release(memory, size_bytes, default_alignment);
}
void operator delete[](void* memory, std::size_t size_bytes) noexcept {
    release(memory, size_bytes, default_alignment);
}

void operator delete(void* memory, std::size_t size_bytes, std::align_val_t alignment) noexcept {
    release(memory, size_bytes, alignment);
}
void operator delete[](void* memory, std::size_t size_bytes, std::align_val_t alignment) noexcept {
    release(memory, size_bytes, alignment);
}

// Where a constructor throws in a nothrow `new`.
void operator delete(void* memory, const std::nothrow_t&) noexcept { release_unsized(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { release_unsized(memory); }

void operator delete(void* memory, std::align_val_t, const std::nothrow_t&) noexcept {
    release_unsized(memory);
}
void operator delete[](void* memory, std::align_val_t, const std::nothrow_t&) noexcept {
    release_unsized(memory);
}
