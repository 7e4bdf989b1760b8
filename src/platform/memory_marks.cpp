// SPDX-License-Identifier: MIT
#include "carbide/memory_marks.hpp"

#include <atomic>

#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#define CARBIDE_VALGRIND 1
#else
#define CARBIDE_VALGRIND 0
#endif

#if !CARBIDE_ASAN
// Null unless the program was linked with AddressSanitizer's run-time library.
extern "C" [[gnu::weak]] void __asan_poison_memory_region(const volatile void*,
                                                          std::size_t) noexcept;
extern "C" [[gnu::weak]] void __asan_unpoison_memory_region(const volatile void*,
                                                            std::size_t) noexcept;
#endif

namespace carbide {
namespace {

enum class Checker : unsigned char { unknown, none, asan, memcheck };

#if CARBIDE_VALGRIND
// Only memcheck answers the request for validity bits; Valgrind's other tools, and no Valgrind at
// all, return 0.
[[maybe_unused]] bool memcheck_is_running() noexcept {
    unsigned char probe = 0;
    unsigned char bits = 0;
    return RUNNING_ON_VALGRIND != 0 && VALGRIND_GET_VBITS(&probe, &bits, 1) == 1;
}
#endif

Checker find_checker() noexcept {
#if CARBIDE_ASAN
    return Checker::asan;
#else
    if (&__asan_poison_memory_region != nullptr) return Checker::asan;
#if CARBIDE_VALGRIND
    if (memcheck_is_running()) return Checker::memcheck;
#endif
    return Checker::none;
#endif
}

// Found out by the first call that asks, which may be in any static constructor.
constinit std::atomic<Checker> found{Checker::unknown};

Checker checker() noexcept {
    Checker known = found.load(std::memory_order_relaxed);
    if (known == Checker::unknown) {
        known = find_checker();
        found.store(known, std::memory_order_relaxed);
    }
    return known;
}

// What the slow paths of a program that nobody watches pay for a mark: a call and a comparison.
[[gnu::always_inline]] inline bool nobody_watches() noexcept {
    return found.load(std::memory_order_relaxed) == Checker::none;
}

[[gnu::noinline]] void tell_no_access(const volatile void* memory,
                                      std::size_t size_bytes) noexcept {
    if (checker() == Checker::asan) __asan_poison_memory_region(memory, size_bytes);
#if CARBIDE_VALGRIND
    if (checker() == Checker::memcheck) VALGRIND_MAKE_MEM_NOACCESS(memory, size_bytes);
#endif
}

[[gnu::noinline]] void tell_undefined(const volatile void* memory,
                                      std::size_t size_bytes) noexcept {
    if (checker() == Checker::asan) __asan_unpoison_memory_region(memory, size_bytes);
#if CARBIDE_VALGRIND
    if (checker() == Checker::memcheck) VALGRIND_MAKE_MEM_UNDEFINED(memory, size_bytes);
#endif
}

[[gnu::noinline]] void tell_defined(const volatile void* memory, std::size_t size_bytes) noexcept {
    if (checker() == Checker::asan) __asan_unpoison_memory_region(memory, size_bytes);
#if CARBIDE_VALGRIND
    if (checker() == Checker::memcheck) VALGRIND_MAKE_MEM_DEFINED(memory, size_bytes);
#endif
}

}  // namespace

void mark_no_access(const volatile void* memory, std::size_t size_bytes) noexcept {
    if (!nobody_watches()) tell_no_access(memory, size_bytes);
}

void mark_undefined(const volatile void* memory, std::size_t size_bytes) noexcept {
    if (!nobody_watches()) tell_undefined(memory, size_bytes);
}

void mark_defined(const volatile void* memory, std::size_t size_bytes) noexcept {
    if (!nobody_watches()) tell_defined(memory, size_bytes);
}

bool checker_watches() noexcept { return checker() != Checker::none; }

bool window_stays_closed() noexcept { return !CARBIDE_ASAN && checker() != Checker::none; }

}  // namespace carbide
