// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include "carbide/allocator.hpp"
#include "carbide/annotations.hpp"
#include "carbide/check.hpp"
#include "carbide/result.hpp"

namespace carbide {

/// The one owner of a slice from `alloc` or `dupe`: frees it when the scope or the member ends.
///
/// Use it for buffers and texts of a size that is known when they are made. Avoid it for what
/// grows element by element: it keeps no capacity in reserve.
///
/// Like a span it is shallow: a const owner owns elements that may change; `OwnedSlice<const T>`
/// owns ones that may not. Where it has a name it converts to `std::span`, being a range.
///
/// Memory         One allocation of the given allocator; the owner itself is three words.
/// Ownership      Owns the elements. Borrows the allocator, which must outlive it.
/// Out of memory  `make_owned_slice`, `dupe_owned` and `realloc` say so; nothing has changed then.
/// Threads        Those of the allocator.
/// Cost           That of `alloc` and `free`.
/// Source         Zig's habit of keeping `allocator` and `data: []u8` side by side, as one type.
template <class T>
class [[nodiscard]] OwnedSlice {
    static_assert(std::is_object_v<T>, "a slice of objects");

    // The same type, but perhaps less const.
    template <class U>
    static constexpr bool is_adoptable =
        std::is_same_v<std::remove_cv_t<U>, std::remove_cv_t<T>> && std::is_convertible_v<U*, T*>;

    template <class U>
    friend class OwnedSlice;

public:
    using value_type = std::remove_cv_t<T>;

    /// Owns nothing yet.
    explicit OwnedSlice(Allocator allocator) noexcept : allocator_(allocator) {}

    /// Adopts a slice that came from `allocator`. A template, so that nothing which merely
    /// converts to a span is adopted: no array, and no slice with an alignment or a sentinel.
    template <class U>
        requires is_adoptable<U>
    OwnedSlice(CARBIDE_TAKES_OWNERSHIP std::span<U> slice, Allocator allocator) noexcept
        : slice_(slice), allocator_(allocator) {}

    OwnedSlice(OwnedSlice&& other) noexcept
        : slice_(other.release()), allocator_(other.allocator_) {}
    template <class U>
        requires is_adoptable<U>
    OwnedSlice(OwnedSlice<U>&& other) noexcept  // NOLINT(google-explicit-constructor): adds const.
        : slice_(other.release()), allocator_(other.allocator_) {}

    /// Frees the elements owned so far when the new ones are in place.
    OwnedSlice& operator=(OwnedSlice&& other) noexcept {
        OwnedSlice(std::move(other)).swap(*this);
        return *this;
    }

    ~OwnedSlice() { allocator_.free(slice_); }

    [[nodiscard]] T* data() const noexcept CARBIDE_LIFETIMEBOUND { return slice_.data(); }
    [[nodiscard]] std::size_t size() const noexcept { return slice_.size(); }
    [[nodiscard]] std::size_t size_bytes() const noexcept { return slice_.size_bytes(); }
    [[nodiscard]] bool empty() const noexcept { return slice_.empty(); }
    [[nodiscard]] T* begin() const noexcept CARBIDE_LIFETIMEBOUND { return slice_.data(); }
    [[nodiscard]] T* end() const noexcept CARBIDE_LIFETIMEBOUND {
        return slice_.data() + slice_.size();
    }
    [[nodiscard]] T& operator[](std::size_t index) const noexcept CARBIDE_LIFETIMEBOUND {
        if constexpr (checked_build) {
            CARBIDE_CHECK(index < slice_.size(), "an index beyond the end of an OwnedSlice");
        }
        return slice_.data()[index];
    }

    /// The elements, on loan until the owner lets go of them or changes their number.
    [[nodiscard]] std::span<T> span() const noexcept CARBIDE_LIFETIMEBOUND { return slice_; }

    /// Where the elements came from and go back to. A moved-from owner knows it still.
    [[nodiscard]] Allocator allocator() const noexcept { return allocator_; }

    /// Hands the elements over: the caller frees them through `allocator()`.
    CARBIDE_CALLER_OWNS [[nodiscard]] std::span<T> release() noexcept {
        return std::exchange(slice_, {});
    }

    /// Frees the elements now.
    void reset() noexcept { allocator_.free(release()); }

    /// In place, or `false` and nothing has changed. New elements are undefined.
    [[nodiscard]] bool resize(std::size_t count) noexcept
        requires(TriviallyCopyable<T> && !std::is_const_v<T>)
    {
        if (!allocator_.resize(slice_, count)) return false;
        slice_ = std::span<T>(slice_.data(), count);
        return true;
    }

    /// In place or not; what was borrowed from the slice before is invalid. New elements are
    /// undefined. On failure nothing has changed.
    Result<void> realloc(std::size_t count) noexcept
        requires(TriviallyCopyable<T> && !std::is_const_v<T>)
    {
        const Result<std::span<T>> moved = allocator_.realloc(slice_, count);
        if (!moved.has_value()) [[unlikely]]
            return std::unexpected(OutOfMemory{});
        slice_ = *moved;
        return {};
    }

    void swap(OwnedSlice& other) noexcept {
        std::swap(slice_, other.slice_);
        std::swap(allocator_, other.allocator_);
    }
    friend void swap(OwnedSlice& left, OwnedSlice& right) noexcept { left.swap(right); }

private:
    std::span<T> slice_;
    Allocator allocator_;
};

template <class T>
OwnedSlice(std::span<T>, Allocator) -> OwnedSlice<T>;

static_assert(sizeof(OwnedSlice<int>) == 3 * sizeof(void*), "the class comment promises three");

/// `count` undefined elements with their owner.
template <ImplicitLifetime T>
Result<OwnedSlice<T>> make_owned_slice(Allocator allocator, std::size_t count) noexcept {
    const Result<std::span<T>> slice = allocator.alloc<T>(count);
    if (!slice.has_value()) [[unlikely]]
        return std::unexpected(OutOfMemory{});
    return OwnedSlice<T>(*slice, allocator);
}

/// `count` elements whose bytes are all 0, with their owner.
template <ImplicitLifetime T>
Result<OwnedSlice<T>> make_owned_slice_zeroed(Allocator allocator, std::size_t count) noexcept {
    const Result<std::span<T>> slice = allocator.alloc_zeroed<T>(count);
    if (!slice.has_value()) [[unlikely]]
        return std::unexpected(OutOfMemory{});
    return OwnedSlice<T>(*slice, allocator);
}

/// A copy of the elements with its owner.
template <TriviallyCopyable T>
Result<OwnedSlice<std::remove_const_t<T>>> dupe_owned(Allocator allocator,
                                                      std::span<T> source) noexcept {
    const auto copy = allocator.dupe(source);
    if (!copy.has_value()) [[unlikely]]
        return std::unexpected(OutOfMemory{});
    return OwnedSlice<std::remove_const_t<T>>(*copy, allocator);
}
inline Result<OwnedSlice<char>> dupe_owned(Allocator allocator, std::string_view source) noexcept {
    return dupe_owned(allocator, std::span<const char>(source));
}

}  // namespace carbide
