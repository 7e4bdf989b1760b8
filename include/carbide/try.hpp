// SPDX-License-Identifier: MIT
#pragma once

#include <expected>
#include <type_traits>
#include <utility>

/// Never called or defined. `CARBIDE_NOTHING_FAILS_BELOW` hides it by a local variable, and
/// `CARBIDE_TRY` looks at the type of the one that plain name lookup finds: so it stands outside
/// the namespace. A function, because -Wshadow minds when a variable is hidden.
void carbide_failing_is_allowed() noexcept;

namespace carbide::detail {

struct FailingIsForbidden {};

template <class Found>
inline constexpr bool failing_is_allowed = std::is_function_v<Found>;

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
#define CARBIDE_TRY(...) \
    CARBIDE_TRY_AS_(CARBIDE_JOINED_(carbide_tried_, __COUNTER__), (__VA_ARGS__))

// `tried` is a name of its own, so that one CARBIDE_TRY may stand in the argument of another.
#define CARBIDE_TRY_AS_(tried, expression)                                            \
    __extension__({                                                                   \
        CARBIDE_ASSERT_FAILING_IS_ALLOWED_("CARBIDE_TRY");                            \
        auto&& tried = expression;                                                    \
        ::carbide::detail::check_tried<decltype(tried)>();                            \
        if (!tried.has_value()) [[unlikely]] {                                        \
            return ::std::unexpected(::std::forward<decltype(tried)>(tried).error()); \
        }                                                                             \
        *::std::forward<decltype(tried)>(tried);                                      \
    })
#define CARBIDE_JOINED_(left, right) CARBIDE_JOINED_AS_THEY_ARE_(left, right)
#define CARBIDE_JOINED_AS_THEY_ARE_(left, right) left##right
#define CARBIDE_ASSERT_FAILING_IS_ALLOWED_(macro)                                              \
    static_assert(::carbide::detail::failing_is_allowed<decltype(carbide_failing_is_allowed)>, \
                  macro " stands below CARBIDE_NOTHING_FAILS_BELOW")

/// Declares `name` as the value of the expression, or returns its error: `CARBIDE_TRY` in standard
/// C++, as a statement of its own.
///
///     CARBIDE_TRY_LET(node, allocator.create<Node>());
#define CARBIDE_TRY_LET(name, ...)                                               \
    CARBIDE_ASSERT_FAILING_IS_ALLOWED_("CARBIDE_TRY_LET");                       \
    auto carbide_result_of_##name = (__VA_ARGS__);                               \
    ::carbide::detail::check_tried<decltype(carbide_result_of_##name)>();        \
    if (!carbide_result_of_##name.has_value()) [[unlikely]] {                    \
        return ::std::unexpected(::std::move(carbide_result_of_##name).error()); \
    }                                                                            \
    auto&& name = *carbide_result_of_##name

/// From here to the end of the scope nothing may fail: a `CARBIDE_TRY` below does not compile.
/// Put it behind the last fallible step, where `errdefer` guards are committed. It does not see a
/// hand-written `return std::unexpected(...)` or a `throw`.
#define CARBIDE_NOTHING_FAILS_BELOW \
    [[maybe_unused]] constexpr ::carbide::detail::FailingIsForbidden carbide_failing_is_allowed {}
