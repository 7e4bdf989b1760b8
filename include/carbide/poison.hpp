// SPDX-License-Identifier: MIT
#pragma once

#include <cstring>
#include <memory>
#include <type_traits>

#include "carbide/check.hpp"
#include "carbide/memory_marks.hpp"
#include "carbide/raw_operations.hpp"

namespace carbide {

/// Overwrites an object whose life is over: the last line of a `deinit`, so that whoever uses it
/// again, or ends it twice, meets 0xAA and not values that still look right.
///
///     void deinit() {
///         socket_.close();
///         allocator_.free(buffer_);
///         carbide::poison(*this);
///     }
///
/// In checked builds it fills the bytes, and the compiler cannot drop it as a dead store. In every
/// build Valgrind learns that they are undefined, and reports decisions that are based on them.
/// It does not forbid access, as freed memory is forbidden: the object's storage (a variable, a
/// member) is still there, and may be assigned to.
///
/// The type must have no destructor, since that would run on what is left. What `sizeof` covers is
/// overwritten, so do not call it on a base, whose tail may hold members of the class derived.
template <class T>
    requires(std::is_trivially_destructible_v<T> && !std::is_const_v<T>)
void poison(T& object) noexcept {
    if constexpr (std::is_empty_v<T>) {
        // The one byte of an empty object may be part of another.
        return;
    } else {
        auto* const bytes = const_cast<void*>(static_cast<volatile void*>(std::addressof(object)));
        if constexpr (checked_build) {
            std::memset(bytes, undefined_byte, sizeof(T));
            asm volatile("" : : "r"(bytes) : "memory");
        }
        mark_undefined(bytes, sizeof(T));
    }
}

}  // namespace carbide
