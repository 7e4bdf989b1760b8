// SPDX-License-Identifier: MIT
#pragma once

namespace carbide {

/// A process-wide object that is built at compile time and never destroyed, so that it serves
/// every static constructor and destructor of the program.
template <class T>
union Immortal {
    T object;

    constexpr Immortal() noexcept : object() {}
    constexpr ~Immortal() {}  // Leaves `object` as it is.
};

}  // namespace carbide
