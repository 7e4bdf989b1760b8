// SPDX-License-Identifier: MIT
#pragma once

#include <type_traits>
#include <utility>

namespace carbide {

/// Runs a function when the scope ends, however it ends. Made by `defer`.
template <class F>
class [[nodiscard]] Defer {
public:
    constexpr explicit Defer(F function) noexcept(std::is_nothrow_move_constructible_v<F>)
        : function_(std::move(function)) {}
    constexpr ~Defer() { function_(); }

    Defer(const Defer&) = delete;  // It would run twice.
    Defer& operator=(const Defer&) = delete;

private:
    F function_;
};

/// Runs a function when the scope ends, unless `commit` was called. Made by `errdefer`.
///
/// C++ cannot tell an error return from another, so success is said by hand: `commit()` stands
/// where nothing can fail any more. Exceptions run it too.
template <class F>
class [[nodiscard]] ErrDefer {
public:
    constexpr explicit ErrDefer(F function) noexcept(std::is_nothrow_move_constructible_v<F>)
        : function_(std::move(function)) {}
    constexpr ~ErrDefer() {
        if (armed_) function_();
    }

    ErrDefer(const ErrDefer&) = delete;  // It would run twice.
    ErrDefer& operator=(const ErrDefer&) = delete;

    /// The step that this guard would undo is now permanent.
    constexpr void commit() noexcept { armed_ = false; }

private:
    F function_;
    bool armed_ = true;
};

/// `const auto close = carbide::defer([&] { socket.close(); });`
template <class F>
[[nodiscard]] constexpr Defer<F> defer(F function) {
    return Defer<F>(std::move(function));
}

/// `auto undo = carbide::errdefer([&] { allocator.free(buffer); }); ... undo.commit();`
template <class F>
[[nodiscard]] constexpr ErrDefer<F> errdefer(F function) {
    return ErrDefer<F>(std::move(function));
}

/// Commits several guards at once, where the function has succeeded.
template <class... F>
constexpr void commit(ErrDefer<F>&... guards) noexcept {
    (guards.commit(), ...);
}

}  // namespace carbide
