// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <new>
#include <span>
#include <type_traits>

namespace carbide {

/// A slice whose alignment is part of its type, so that `free` cannot be told a wrong one.
/// From `alloc_aligned`. Converts to `std::span`; free it as what it is.
template <class T, std::size_t Alignment>
class AlignedSlice {
    static_assert((Alignment & (Alignment - 1)) == 0, "an alignment is a power of two");
    static_assert(Alignment >= alignof(T), "less than the type's own alignment");

public:
    static constexpr std::align_val_t alignment{Alignment};

    constexpr AlignedSlice() noexcept = default;
    constexpr AlignedSlice(T* data, std::size_t size) noexcept : data_(data), size_(size) {}

    [[nodiscard]] T* data() const noexcept {
        return static_cast<T*>(__builtin_assume_aligned(data_, Alignment));
    }
    [[nodiscard]] constexpr std::size_t size() const noexcept { return size_; }
    [[nodiscard]] constexpr bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] T* begin() const noexcept { return data(); }
    [[nodiscard]] T* end() const noexcept { return data() + size_; }
    [[nodiscard]] T& operator[](std::size_t index) const noexcept { return data()[index]; }

private:
    T* data_ = nullptr;
    std::size_t size_ = 0;
};

/// A slice that is followed by one more element, `Sentinel`, which `size()` does not count.
/// From `alloc_sentinel` and `dupe_z`. Converts to `std::span`; free it as what it is, because the
/// sentinel belongs to the allocation.
template <class T, T Sentinel = T{}>
class SentinelSlice {
public:
    static constexpr T sentinel = Sentinel;

    constexpr SentinelSlice() noexcept = default;
    constexpr SentinelSlice(T* data, std::size_t size) noexcept : data_(data), size_(size) {}

    [[nodiscard]] constexpr T* data() const noexcept { return data_; }
    [[nodiscard]] constexpr std::size_t size() const noexcept { return size_; }
    [[nodiscard]] constexpr bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] constexpr T* begin() const noexcept { return data_; }
    [[nodiscard]] constexpr T* end() const noexcept { return data_ + size_; }
    [[nodiscard]] constexpr T& operator[](std::size_t index) const noexcept { return data_[index]; }

    /// The text as a C function wants it.
    [[nodiscard]] constexpr const char* c_str() const noexcept
        requires(std::is_same_v<T, char> && Sentinel == '\0')
    {
        return data_;
    }

private:
    T* data_ = nullptr;
    std::size_t size_ = 0;
};

}  // namespace carbide

// Views: a temporary one converts to std::span as well.
template <class T, std::size_t Alignment>
inline constexpr bool std::ranges::enable_borrowed_range<carbide::AlignedSlice<T, Alignment>> =
    true;
template <class T, T Sentinel>
inline constexpr bool std::ranges::enable_borrowed_range<carbide::SentinelSlice<T, Sentinel>> =
    true;
