// SPDX-License-Identifier: MIT
#pragma once

/// Assertions, and the switch that says how much a build checks.
///
/// `CARBIDE_CHECKED` is 1 in builds without `NDEBUG`, unless it is defined on the command line. It
/// turns on `CARBIDE_ASSERT`, the 0xAA fill and the single-owner check in code that includes these
/// headers. It changes no layout, so checked and unchecked code may be linked together.
#ifndef CARBIDE_CHECKED
#ifdef NDEBUG
#define CARBIDE_CHECKED 0
#else
#define CARBIDE_CHECKED 1
#endif
#endif

namespace carbide {

/// True in builds that fill memory and check thread ownership.
inline constexpr bool checked_build = CARBIDE_CHECKED != 0;

/// Prints `carbide: MESSAGE (FILE:LINE)` to standard error without allocating, then traps, so that
/// a debugger stops on the failed check. Called by `CARBIDE_CHECK` and `CARBIDE_ASSERT`.
[[noreturn, gnu::cold]] void check_failed(const char* message, const char* file, int line) noexcept;

}  // namespace carbide

/// Misuse by the caller that would corrupt memory, where it costs O(1) to see it. Always on.
/// The message is a sentence about what the caller did.
#define CARBIDE_CHECK(condition, message)                           \
    do {                                                            \
        if (!(condition)) [[unlikely]] {                            \
            ::carbide::check_failed((message), __FILE__, __LINE__); \
        }                                                           \
    } while (false)

/// An invariant of our own. On in checked builds; the condition must have no side effects.
#if CARBIDE_CHECKED
#define CARBIDE_ASSERT(condition) CARBIDE_CHECK(condition, "broken invariant: " #condition)
#else
#define CARBIDE_ASSERT(condition) static_cast<void>(sizeof(static_cast<bool>(condition)))
#endif
