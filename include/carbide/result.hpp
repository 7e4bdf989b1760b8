// SPDX-License-Identifier: MIT
#pragma once

#include <expected>
#include <type_traits>
#include <utility>

#include "carbide/out_of_memory.hpp"

namespace carbide {

template <class T, class E = OutOfMemory>
class Result;

template <class T>
inline constexpr bool is_result = false;
template <class T, class E>
inline constexpr bool is_result<Result<T, E>> = true;

/// A value, or the error that prevented it: `std::expected` that must not be ignored.
///
/// `std::expected` itself is not `[[nodiscard]]` in libstdc++, and lacks `and_then`, `transform`,
/// `or_else` and `transform_error` before libstdc++ 13. Converts to and from it. `T` is an object
/// type or `void`: a reference would dangle in `CARBIDE_TRY`, so it does not compile.
template <class T, class E>
class [[nodiscard]] Result {
    static_assert(!std::is_reference_v<T>, "a Result holds values: use a pointer");
    using Expected = std::expected<T, E>;
    static constexpr bool is_void = std::is_void_v<T>;

public:
    using value_type = T;
    using error_type = E;

    // NOLINTBEGIN(google-explicit-constructor): a function returns `value` or
    // `std::unexpected(error)` without naming its result type, as with std::expected.

    /// Success. For `Result<void>` the default constructor says it.
    constexpr Result() noexcept(std::is_nothrow_default_constructible_v<Expected>)
        requires(is_void || std::is_default_constructible_v<T>)
    = default;

    template <class U = T>
        requires(!is_void && !is_result<std::remove_cvref_t<U>> &&
                 !std::is_same_v<std::remove_cvref_t<U>, Expected> && std::is_convertible_v<U, T>)
    constexpr Result(U&& value) : expected_(std::in_place, std::forward<U>(value)) {}

    /// Failure. `G` is this error type or one that it can be made from.
    template <class G>
        requires std::is_constructible_v<E, G>
    constexpr Result(std::unexpected<G> error)
        : expected_(std::unexpect, std::move(error).error()) {}

    constexpr Result(Expected expected) noexcept(std::is_nothrow_move_constructible_v<Expected>)
        : expected_(std::move(expected)) {}

    constexpr operator Expected() && { return std::move(expected_); }
    constexpr operator Expected() const&
        requires std::is_copy_constructible_v<Expected>
    {
        return expected_;
    }

    // NOLINTEND(google-explicit-constructor)

    [[nodiscard]] constexpr bool has_value() const noexcept { return expected_.has_value(); }
    constexpr explicit operator bool() const noexcept { return expected_.has_value(); }

    /// The value. Undefined where there is none; look first, or use `value()`.
    constexpr auto* operator->() noexcept { return expected_.operator->(); }
    constexpr const auto* operator->() const noexcept { return expected_.operator->(); }
    constexpr decltype(auto) operator*() & noexcept { return *expected_; }
    constexpr decltype(auto) operator*() const& noexcept { return *expected_; }
    constexpr decltype(auto) operator*() && noexcept { return *std::move(expected_); }

    /// The value. Without one it throws `std::bad_expected_access`, or aborts under
    /// `-fno-exceptions`.
    constexpr decltype(auto) value() & { return expected_.value(); }
    constexpr decltype(auto) value() const& { return expected_.value(); }
    constexpr decltype(auto) value() && { return std::move(expected_).value(); }

    /// The error. Undefined where there is a value.
    [[nodiscard]] constexpr E& error() & noexcept { return expected_.error(); }
    [[nodiscard]] constexpr const E& error() const& noexcept { return expected_.error(); }
    [[nodiscard]] constexpr E&& error() && noexcept { return std::move(expected_).error(); }

    template <class U>
        requires(!is_void)
    [[nodiscard]] constexpr T value_or(U&& otherwise) const& {
        return expected_.value_or(std::forward<U>(otherwise));
    }
    template <class U>
        requires(!is_void)
    [[nodiscard]] constexpr T value_or(U&& otherwise) && {
        return std::move(expected_).value_or(std::forward<U>(otherwise));
    }

    /// `next(value)`, which returns a `Result` with the same error type; or this error.
    template <class F>
    constexpr auto and_then(F&& next) && {
        using Next = decltype(call(std::forward<F>(next)));
        static_assert(is_result<Next>, "and_then takes a function that returns a Result");
        if (!has_value()) return Next(std::unexpected<E>(std::move(*this).error()));
        return call(std::forward<F>(next));
    }

    /// A `Result` of `map(value)`; or this error.
    template <class F>
    constexpr auto transform(F&& map) && {
        using U = std::remove_cv_t<decltype(call(std::forward<F>(map)))>;
        if (!has_value()) return Result<U, E>(std::unexpected<E>(std::move(*this).error()));
        if constexpr (std::is_void_v<U>) {
            call(std::forward<F>(map));
            return Result<U, E>();
        } else {
            return Result<U, E>(call(std::forward<F>(map)));
        }
    }

    /// This value; or `handle(error)`, which returns a `Result` with the same value type.
    template <class F>
    constexpr auto or_else(F&& handle) && {
        using Next = decltype(std::forward<F>(handle)(std::move(*this).error()));
        static_assert(is_result<Next>, "or_else takes a function that returns a Result");
        if (!has_value()) return std::forward<F>(handle)(std::move(*this).error());
        return rebind<Next>();
    }

    /// This value; or a `Result` with the error `map(error)`.
    template <class F>
    constexpr auto transform_error(F&& map) && {
        using G = std::remove_cvref_t<decltype(std::forward<F>(map)(std::move(*this).error()))>;
        using Next = Result<T, G>;
        if (!has_value()) {
            return Next(std::unexpected<G>(std::forward<F>(map)(std::move(*this).error())));
        }
        return rebind<Next>();
    }

    template <class U, class G>
    friend constexpr bool operator==(const Result& left, const Result<U, G>& right) {
        if (left.has_value() != right.has_value()) return false;
        if (!left.has_value()) return left.error() == right.error();
        if constexpr (is_void) {
            return true;
        } else {
            return *left == *right;
        }
    }

private:
    template <class F>
    constexpr decltype(auto) call(F&& function) {
        if constexpr (is_void) {
            return std::forward<F>(function)();
        } else {
            return std::forward<F>(function)(*std::move(expected_));
        }
    }

    template <class Next>
    constexpr Next rebind() {
        if constexpr (is_void) {
            return Next();
        } else {
            return Next(*std::move(expected_));
        }
    }

    Expected expected_;
};

}  // namespace carbide
