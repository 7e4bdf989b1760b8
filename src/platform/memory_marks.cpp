// SPDX-License-Identifier: MIT
#include "carbide/memory_marks.hpp"

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

enum class Checker { none, asan, memcheck };

#if CARBIDE_VALGRIND
// Only memcheck answers the request for validity bits; Valgrind's other tools, and no Valgrind at
// all, return 0.
[[maybe_unused]] bool memcheck_is_running() noexcept {
    unsigned char probe = 0;
    unsigned char bits = 0;
    return RUNNING_ON_VALGRIND != 0 && VALGRIND_GET_VBITS(&probe, &bits, 1) == 1;
}
#endif

// Found out once: the slow paths of a program that nothing watches pay a load and a branch.
Checker checker() noexcept {
#if CARBIDE_ASAN
    return Checker::asan;
#else
    static const Checker found = [] {
        if (&__asan_poison_memory_region != nullptr) return Checker::asan;
#if CARBIDE_VALGRIND
        if (memcheck_is_running()) return Checker::memcheck;
#endif
        return Checker::none;
    }();
    return found;
#endif
}

}  // namespace

void mark_no_access(const volatile void* memory, std::size_t size_bytes) noexcept {
    switch (checker()) {
        case Checker::none:
            return;
        case Checker::asan:
            return __asan_poison_memory_region(memory, size_bytes);
        case Checker::memcheck:
            break;
    }
#if CARBIDE_VALGRIND
    VALGRIND_MAKE_MEM_NOACCESS(memory, size_bytes);
#endif
}

void mark_undefined(const volatile void* memory, std::size_t size_bytes) noexcept {
    switch (checker()) {
        case Checker::none:
            return;
        case Checker::asan:
            return __asan_unpoison_memory_region(memory, size_bytes);
        case Checker::memcheck:
            break;
    }
#if CARBIDE_VALGRIND
    VALGRIND_MAKE_MEM_UNDEFINED(memory, size_bytes);
#endif
}

void mark_defined(const volatile void* memory, std::size_t size_bytes) noexcept {
    switch (checker()) {
        case Checker::none:
            return;
        case Checker::asan:
            return __asan_unpoison_memory_region(memory, size_bytes);
        case Checker::memcheck:
            break;
    }
#if CARBIDE_VALGRIND
    VALGRIND_MAKE_MEM_DEFINED(memory, size_bytes);
#endif
}

bool window_stays_closed() noexcept { return !CARBIDE_ASAN && checker() != Checker::none; }

}  // namespace carbide
