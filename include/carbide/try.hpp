// SPDX-License-Identifier: MIT
#pragma once

#include <expected>
#include <type_traits>
#include <utility>

/// True everywhere, but below `CARBIDE_NOTHING_FAILS_BELOW`, which hides it by a local `false`.
/// Outside the namespace, because `CARBIDE_TRY` must find the innermost one by plain name lookup.
inline constexpr bool carbide_failing_is_allowed = true;

namespace carbide::detail {

template <class R>
constexpr void check_tried() noexcept {
    using Value = typename std::remove_cvref_t<R>::value_type;
    static_assert(!std::is_reference_v<Value>, "the tried expression must hold a value");
}

}  // namespace carbide::detail

/// The value of a `Result` or `std::expected`; on an error, returns that error from the enclosing
/// function as `std::unexpected`, from which its error type is made.
///
///     Node* node = CARBIDE_TRY(allocator.create<Node>());
///
/// A GNU statement expression (GCC, Clang). Write one per statement: g++ 12 leaks members that
/// were already built where it returns from the middle of a braced initialiser, a `new T{...}` or
/// a lambda capture; tests/core/try_matrix_test.cpp holds the cases. `CARBIDE_TRY_LET` is standard
/// C++ and has no such limit.
#define CARBIDE_TRY(...)                                                                           \
    __extension__({                                                                                \
        static_assert(carbide_failing_is_allowed,                                                  \
                      "CARBIDE_TRY stands below CARBIDE_NOTHING_FAILS_BELOW");                     \
        auto&& carbide_tried_ = (__VA_ARGS__);                                                     \
        ::carbide::detail::check_tried<decltype(carbide_tried_)>();                                \
        if (!carbide_tried_.has_value()) [[unlikely]] {                                            \
            return ::std::unexpected(::std::forward<decltype(carbide_tried_)>(carbide_tried_)      \
                                         .error());                                                \
        }                                                                                          \
        *::std::forward<decltype(carbide_tried_)>(carbide_tried_);                                 \
    })

/// Declares `name` as the value of the expression, or returns its error: `CARBIDE_TRY` in standard
/// C++, as a statement of its own.
///
///     CARBIDE_TRY_LET(node, allocator.create<Node>());
#define CARBIDE_TRY_LET(name, ...)                                                   \
    static_assert(carbide_failing_is_allowed,                                        \
                  "CARBIDE_TRY_LET stands below CARBIDE_NOTHING_FAILS_BELOW");       \
    auto carbide_result_of_##name = (__VA_ARGS__);                                   \
    ::carbide::detail::check_tried<decltype(carbide_result_of_##name)>();            \
    if (!carbide_result_of_##name.has_value()) [[unlikely]] {                        \
        return ::std::unexpected(::std::move(carbide_result_of_##name).error());     \
    }                                                                                \
    auto&& name = *carbide_result_of_##name

/// From here to the end of the scope nothing may fail: a `CARBIDE_TRY` below does not compile.
/// Put it behind the last fallible step, where `errdefer` guards are committed. It does not see a
/// hand-written `return std::unexpected(...)` or a `throw`.
#define CARBIDE_NOTHING_FAILS_BELOW                          \
    [[maybe_unused]] constexpr bool carbide_failing_is_allowed = false
