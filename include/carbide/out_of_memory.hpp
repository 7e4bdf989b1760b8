// SPDX-License-Identifier: MIT
#pragma once

#include <cerrno>
#include <concepts>

namespace carbide {

/// A class that looks like `std::error_code` or `std::error_condition`.
template <class Code>
concept ErrorCodeLike = requires(const Code& code) {
    { code.category().name() } -> std::same_as<const char*>;
    Code(0, code.category());
};

/// The one error of allocation: no memory could be had. Empty.
///
/// Build your own error type from it (a constructor that takes `OutOfMemory`), and `CARBIDE_TRY`
/// carries it through functions that fail in other ways too.
struct OutOfMemory {
    /// To `std::error_code` and `std::error_condition`: equal to `std::errc::not_enough_memory`.
    /// A template, because `<system_error>` would double what this header costs to include.
    template <ErrorCodeLike Code>
    constexpr operator Code() const noexcept {  // NOLINT(google-explicit-constructor)
        return Code(ENOMEM, Code().category());
    }

    [[nodiscard]] static constexpr const char* message() noexcept { return "out of memory"; }

    friend constexpr bool operator==(OutOfMemory, OutOfMemory) noexcept { return true; }
};

}  // namespace carbide
