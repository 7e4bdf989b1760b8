// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

#if defined(__SANITIZE_ADDRESS__)
#define CARBIDE_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CARBIDE_ASAN 1
#endif
#endif
#ifndef CARBIDE_ASAN
#define CARBIDE_ASAN 0
#endif

#if CARBIDE_ASAN
extern "C" void __asan_poison_memory_region(const volatile void*, std::size_t) noexcept;
extern "C" void __asan_unpoison_memory_region(const volatile void*, std::size_t) noexcept;
#endif

/// Tells AddressSanitizer and Valgrind which bytes are lent out.
///
/// Two forms. `mark_*_inline` stands in code that is inlined into its caller, and does something
/// only where that caller is compiled with AddressSanitizer. `mark_*` is a call into the library,
/// which finds out at run time which checker watches, so that a release build of Carbide annotates
/// for a sanitized program and for Valgrind as well.
namespace carbide {

/// Nobody may read or write these bytes. Keep starts 8-byte aligned: that is ASan's granule.
void mark_no_access(const volatile void* memory, std::size_t size_bytes) noexcept;

/// These bytes are lent out and hold nothing yet.
void mark_undefined(const volatile void* memory, std::size_t size_bytes) noexcept;

/// These bytes may be read and written, and their content counts as initialised.
void mark_defined(const volatile void* memory, std::size_t size_bytes) noexcept;

/// True where AddressSanitizer or Valgrind's memcheck watches.
[[nodiscard]] bool checker_watches() noexcept;

/// True where a checker watches that the inlined window path could not tell about its
/// allocations: Valgrind's memcheck, or AddressSanitizer in a program whose Carbide was built
/// without it. Heaps then keep their window closed, so that every allocation passes the library.
[[nodiscard]] bool window_stays_closed() noexcept;

[[gnu::always_inline]] inline void mark_undefined_inline([[maybe_unused]] const void* memory,
                                                         [[maybe_unused]] std::size_t size_bytes) {
#if CARBIDE_ASAN
    __asan_unpoison_memory_region(memory, size_bytes);
#endif
}

[[gnu::always_inline]] inline void mark_no_access_inline([[maybe_unused]] const void* memory,
                                                         [[maybe_unused]] std::size_t size_bytes) {
#if CARBIDE_ASAN
    __asan_poison_memory_region(memory, size_bytes);
#endif
}

}  // namespace carbide
