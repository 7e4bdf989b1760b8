// SPDX-License-Identifier: MIT
#pragma once

/// The ownership vocabulary for functions that have no owner type to say it with.
///
/// Prefer types: `Owned<T>` and `OwnedSlice<T>` say who frees, and free. Where a plain pointer or
/// slice crosses an interface, these macros say it to the reader, to clang and to a checker. On
/// clang they become attributes; elsewhere they are nothing.
#if defined(__clang__)

/// On a function: the caller owns what is returned and frees it through the allocator it passed.
#define CARBIDE_CALLER_OWNS [[clang::annotate("carbide::caller_owns")]]

/// On a function: the result is a view, valid until the named event ("the next append", "deinit").
#define CARBIDE_VALID_UNTIL(event) [[clang::annotate("carbide::valid_until", event)]]

/// On a parameter: after the call the callee owns the memory; the caller must not free it.
#define CARBIDE_TAKES_OWNERSHIP [[clang::annotate("carbide::takes_ownership")]]

/// Behind a member function or parameter: the result must not outlive the object. Clang warns.
#define CARBIDE_LIFETIMEBOUND [[clang::lifetimebound]]

#else
#define CARBIDE_CALLER_OWNS
#define CARBIDE_VALID_UNTIL(event)
#define CARBIDE_TAKES_OWNERSHIP
#define CARBIDE_LIFETIMEBOUND
#endif
