// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

#include "carbide/memory_marks.hpp"

#if CARBIDE_ASAN
extern "C" int __asan_address_is_poisoned(const volatile void*) noexcept;

namespace carbide::tests {

/// How many of these bytes AddressSanitizer lets the program touch: all that are lent out, none
/// that are not.
[[nodiscard]] inline std::size_t accessible_bytes(const void* memory,
                                                  std::size_t size_bytes) noexcept {
    std::size_t count = 0;
    for (std::size_t i = 0; i < size_bytes; ++i) {
        if (__asan_address_is_poisoned(static_cast<const std::byte*>(memory) + i) == 0) ++count;
    }
    return count;
}

}  // namespace carbide::tests
#endif
