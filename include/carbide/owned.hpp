// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

#include "carbide/allocator.hpp"
#include "carbide/annotations.hpp"
#include "carbide/check.hpp"
#include "carbide/result.hpp"

namespace carbide {

/// The one owner of an object from `create`: destroys it when the scope or the member ends.
///
/// Use it wherever an object of its own is created and no arena frees everything at once. Avoid it
/// for the nodes of an arena, which the arena frees without a visit to each.
///
/// Like a pointer it is shallow: a const owner owns an object that may change; `Owned<const T>`
/// owns one that may not. It becomes no `Owned<Base>`, because `free` wants the size that was
/// allocated and a base does not know it.
///
/// Memory         One object of the given allocator; the owner itself is two words.
/// Ownership      Owns the object. Borrows the allocator, which must outlive it.
/// Out of memory  `make_owned` says so. Nothing else allocates.
/// Threads        Those of the allocator.
/// Cost           That of `create` and `destroy`.
/// Source         std::unique_ptr with a handle for its deleter, minus the conversion to bases.
template <class T>
class [[nodiscard]] Owned {
    static_assert(std::is_object_v<T> && !std::is_array_v<T>, "for arrays there is OwnedSlice");

    // The same type, but perhaps less const: its size and alignment are those of T.
    template <class U>
    static constexpr bool is_adoptable =
        std::is_same_v<std::remove_cv_t<U>, std::remove_cv_t<T>> && std::is_convertible_v<U*, T*>;

    template <class U>
    friend class Owned;

public:
    /// Owns nothing yet.
    explicit Owned(Allocator allocator) noexcept : allocator_(allocator) {}

    /// Adopts an object that `allocator.create<T>` made. Null is nothing.
    template <class U>
        requires is_adoptable<U>
    Owned(CARBIDE_TAKES_OWNERSHIP U* object, Allocator allocator) noexcept
        : object_(object), allocator_(allocator) {}
    template <class U>
    Owned(U* object, Allocator allocator) = delete;  // Another type has another size.

    Owned(Owned&& other) noexcept : object_(other.release()), allocator_(other.allocator_) {}
    template <class U>
        requires is_adoptable<U>
    Owned(Owned<U>&& other) noexcept  // NOLINT(google-explicit-constructor): it only adds const.
        : object_(other.release()), allocator_(other.allocator_) {}
    template <class U>
    Owned(Owned<U>&& other) = delete;  // Another type has another size.

    /// Destroys the object owned so far when the new one is in place.
    Owned& operator=(Owned&& other) noexcept {
        Owned(std::move(other)).swap(*this);
        return *this;
    }

    ~Owned() { allocator_.destroy(object_); }

    [[nodiscard]] T* get() const noexcept CARBIDE_LIFETIMEBOUND { return object_; }
    [[nodiscard]] T& operator*() const noexcept CARBIDE_LIFETIMEBOUND { return *checked(); }
    [[nodiscard]] T* operator->() const noexcept CARBIDE_LIFETIMEBOUND { return checked(); }
    [[nodiscard]] explicit operator bool() const noexcept { return object_ != nullptr; }

    /// Where the object came from and goes back to. A moved-from owner knows it still.
    [[nodiscard]] Allocator allocator() const noexcept { return allocator_; }

    /// Hands the object over: the caller destroys it through `allocator()`.
    CARBIDE_CALLER_OWNS [[nodiscard]] T* release() noexcept {
        return std::exchange(object_, nullptr);
    }

    /// Destroys the object now.
    void reset() noexcept { allocator_.destroy(release()); }

    void swap(Owned& other) noexcept {
        std::swap(object_, other.object_);
        std::swap(allocator_, other.allocator_);
    }
    friend void swap(Owned& left, Owned& right) noexcept { left.swap(right); }

    friend bool operator==(const Owned& owner, std::nullptr_t) noexcept {
        return owner.object_ == nullptr;
    }

private:
    [[nodiscard]] T* checked() const noexcept {
        if constexpr (checked_build) {
            CARBIDE_CHECK(object_ != nullptr, "an Owned that owns nothing was dereferenced");
        }
        return object_;
    }

    T* object_ = nullptr;
    Allocator allocator_;
};

template <class T>
Owned(T*, Allocator) -> Owned<T>;

static_assert(sizeof(Owned<int>) == 2 * sizeof(void*), "the class comment promises two words");

/// `allocator.create<T>(args...)` with its owner.
template <class T, class... Args>
    requires std::is_constructible_v<T, Args...>
Result<Owned<T>> make_owned(Allocator allocator,
                            Args&&... args) noexcept(std::is_nothrow_constructible_v<T, Args...>) {
    const Result<T*> object = allocator.create<T>(std::forward<Args>(args)...);
    if (!object.has_value()) [[unlikely]]
        return std::unexpected(OutOfMemory{});
    return Owned<T>(*object, allocator);
}

}  // namespace carbide
