// SPDX-License-Identifier: MIT
// malloc and its relatives, for programs that use NoGlobalAllocation; and where a sanitizer has its
// own, hooks in those. Only what is linked statically into the program takes the place of the C
// library's functions, and so every library of the program calls these.
#include "carbide/memory_marks.hpp"
#include "global_allocation/watch.hpp"

#if defined(__SANITIZE_THREAD__)
#define CARBIDE_SANITIZER_HAS_MALLOC 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define CARBIDE_SANITIZER_HAS_MALLOC 1
#endif
#endif
#ifndef CARBIDE_SANITIZER_HAS_MALLOC
#define CARBIDE_SANITIZER_HAS_MALLOC CARBIDE_ASAN
#endif

#if CARBIDE_SANITIZER_HAS_MALLOC

extern "C" int __sanitizer_install_malloc_and_free_hooks(
    void (*malloc_hook)(const volatile void*, std::size_t),
    void (*free_hook)(const volatile void*)) noexcept;

namespace carbide::global_allocation {

void watch_malloc() noexcept {
    static const int installed = __sanitizer_install_malloc_and_free_hooks(
        [](const volatile void*, std::size_t size_bytes) { note_allocation(size_bytes); },
        [](const volatile void*) {});
    static_cast<void>(installed);
}

}  // namespace carbide::global_allocation

#else

#include <unistd.h>

#include <bit>
#include <cerrno>
#include <cstdint>

extern "C" {

// What glibc's own functions do, under names that nobody replaces.
// NOLINTBEGIN(bugprone-reserved-identifier, readability-identifier-naming)
void* __libc_malloc(std::size_t size_bytes) noexcept;
void* __libc_calloc(std::size_t count, std::size_t size_bytes) noexcept;
void* __libc_realloc(void* memory, std::size_t size_bytes) noexcept;
void* __libc_memalign(std::size_t alignment_bytes, std::size_t size_bytes) noexcept;
void __libc_free(void* memory) noexcept;
// NOLINTEND(bugprone-reserved-identifier, readability-identifier-naming)
}

namespace carbide::global_allocation {

// That it is in this file makes the linker take this file.
void watch_malloc() noexcept {}

}  // namespace carbide::global_allocation

// Not inlined or called as a tail: the stack of a finding begins at the caller of these.
#define CARBIDE_REPLACES_LIBC extern "C" [[gnu::visibility("default"), gnu::noinline]]

using carbide::global_allocation::note_allocation;

CARBIDE_REPLACES_LIBC void* malloc(std::size_t size_bytes) noexcept {
    note_allocation(size_bytes);
    return __libc_malloc(size_bytes);
}

CARBIDE_REPLACES_LIBC void free(void* memory) noexcept { __libc_free(memory); }

CARBIDE_REPLACES_LIBC void* calloc(std::size_t count, std::size_t size_bytes) noexcept {
    note_allocation(count * size_bytes);
    return __libc_calloc(count, size_bytes);
}

CARBIDE_REPLACES_LIBC void* realloc(void* memory, std::size_t size_bytes) noexcept {
    const bool only_frees = memory != nullptr && size_bytes == 0;
    if (!only_frees) note_allocation(size_bytes);
    return __libc_realloc(memory, size_bytes);
}

CARBIDE_REPLACES_LIBC void* reallocarray(void* memory, std::size_t count,
                                         std::size_t size_bytes) noexcept {
    std::size_t total_bytes = 0;
    if (__builtin_mul_overflow(count, size_bytes, &total_bytes)) {
        errno = ENOMEM;
        return nullptr;
    }
    const bool only_frees = memory != nullptr && total_bytes == 0;
    if (!only_frees) note_allocation(total_bytes);
    return __libc_realloc(memory, total_bytes);
}

CARBIDE_REPLACES_LIBC void* memalign(std::size_t alignment_bytes, std::size_t size_bytes) noexcept {
    note_allocation(size_bytes);
    return __libc_memalign(alignment_bytes, size_bytes);
}

CARBIDE_REPLACES_LIBC void* aligned_alloc(std::size_t alignment_bytes,
                                          std::size_t size_bytes) noexcept {
    note_allocation(size_bytes);
    return __libc_memalign(alignment_bytes, size_bytes);
}

CARBIDE_REPLACES_LIBC int posix_memalign(void** memory, std::size_t alignment_bytes,
                                         std::size_t size_bytes) noexcept {
    if (!std::has_single_bit(alignment_bytes) || alignment_bytes % sizeof(void*) != 0) {
        return EINVAL;
    }
    note_allocation(size_bytes);
    const int error = errno;  // It must stay as it is, whatever happens.
    void* const fresh = __libc_memalign(alignment_bytes, size_bytes);
    errno = error;
    if (fresh == nullptr) return ENOMEM;
    *memory = fresh;
    return 0;
}

CARBIDE_REPLACES_LIBC void* valloc(std::size_t size_bytes) noexcept {
    note_allocation(size_bytes);
    return __libc_memalign(static_cast<std::size_t>(sysconf(_SC_PAGESIZE)), size_bytes);
}

CARBIDE_REPLACES_LIBC void* pvalloc(std::size_t size_bytes) noexcept {
    note_allocation(size_bytes);
    const auto page_bytes = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    if (size_bytes > SIZE_MAX - page_bytes) {
        errno = ENOMEM;
        return nullptr;
    }
    return __libc_memalign(page_bytes, (size_bytes + page_bytes - 1) & ~(page_bytes - 1));
}

#endif
