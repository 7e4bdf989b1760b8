// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstring>
#include <new>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include "carbide/annotations.hpp"
#include "carbide/raw_operations.hpp"
#include "carbide/result.hpp"
#include "carbide/slice.hpp"

namespace carbide {

/// Types whose objects exist as soon as their memory does, so that `alloc` may hand out a slice of
/// them: scalars, and classes that need no destructor and have a trivial way to come about.
template <class T>
concept ImplicitLifetime =
    std::is_object_v<T> && std::is_trivially_destructible_v<T> &&
    (std::is_scalar_v<T> || std::is_aggregate_v<T> ||
     std::is_trivially_default_constructible_v<T> || std::is_trivially_copy_constructible_v<T> ||
     std::is_trivially_move_constructible_v<T>);

/// Types that may be moved by copying their bytes.
template <class T>
concept TriviallyCopyable = std::is_object_v<T> && std::is_trivially_copyable_v<T>;

namespace detail {

/// Prints size, alignment, heap and stack trace to standard error, and aborts.
[[noreturn, gnu::cold]] void must_failed(const Heap& heap, std::size_t count,
                                         std::size_t element_bytes,
                                         std::align_val_t alignment) noexcept;

}  // namespace detail

/// The typed layer. `allocator.hpp` states the contract.
template <class Self>
class Operations : public RawOperations<Self> {
public:
    /// `count` elements, undefined. Out of memory also where their size overflows.
    template <ImplicitLifetime T>
    CARBIDE_CALLER_OWNS Result<std::span<T>> alloc(std::size_t count) const noexcept {
        void* const memory = alloc_array(count, sizeof(T), std::align_val_t{alignof(T)});
        if (memory == nullptr) [[unlikely]]
            return std::unexpected(OutOfMemory{});
        return std::span<T>(static_cast<T*>(memory), count);
    }

    /// `count` elements at a multiple of `Alignment` bytes, undefined.
    template <ImplicitLifetime T, std::size_t Alignment>
    CARBIDE_CALLER_OWNS Result<AlignedSlice<T, Alignment>> alloc_aligned(
        std::size_t count) const noexcept {
        void* const memory = alloc_array(count, sizeof(T), std::align_val_t{Alignment});
        if (memory == nullptr) [[unlikely]]
            return std::unexpected(OutOfMemory{});
        return AlignedSlice<T, Alignment>(static_cast<T*>(memory), count);
    }

    /// `count` undefined elements, and `Sentinel` behind them.
    template <ImplicitLifetime T, T Sentinel = T{}>
    CARBIDE_CALLER_OWNS Result<SentinelSlice<T, Sentinel>> alloc_sentinel(
        std::size_t count) const noexcept {
        if (count == SIZE_MAX) [[unlikely]]
            return std::unexpected(OutOfMemory{});
        void* const memory = alloc_array(count + 1, sizeof(T), std::align_val_t{alignof(T)});
        if (memory == nullptr) [[unlikely]]
            return std::unexpected(OutOfMemory{});
        auto* const data = static_cast<T*>(memory);
        data[count] = Sentinel;
        return SentinelSlice<T, Sentinel>(data, count);
    }

    /// `count` elements whose bytes are all 0.
    template <ImplicitLifetime T>
    CARBIDE_CALLER_OWNS Result<std::span<T>> alloc_zeroed(std::size_t count) const noexcept {
        Result<std::span<T>> slice = alloc<T>(count);
        if (slice.has_value() && count != 0) {
            std::memset(static_cast<void*>(slice->data()), 0, slice->size_bytes());
        }
        return slice;
    }

    /// Runs no destructors: there are none to run. Freeing an empty slice does nothing.
    template <ImplicitLifetime T>
    void free(CARBIDE_TAKES_OWNERSHIP std::span<T> slice) const noexcept {
        this->raw_free(raw(slice.data()), slice.size_bytes(), std::align_val_t{alignof(T)});
    }
    template <class T, std::size_t Alignment>
    void free(CARBIDE_TAKES_OWNERSHIP AlignedSlice<T, Alignment> slice) const noexcept {
        this->raw_free(raw(slice.data()), slice.size() * sizeof(T), std::align_val_t{Alignment});
    }
    template <class T, T Sentinel>
    void free(CARBIDE_TAKES_OWNERSHIP SentinelSlice<T, Sentinel> slice) const noexcept {
        if (slice.data() == nullptr) return;
        const std::size_t size_bytes = (slice.size() + 1) * sizeof(T);
        this->raw_free(raw(slice.data()), size_bytes, std::align_val_t{alignof(T)});
    }

    /// One object. Frees its memory where the constructor throws.
    template <class T, class... Args>
        requires std::is_constructible_v<T, Args...>
    CARBIDE_CALLER_OWNS Result<T*> create(Args&&... args) const
        noexcept(std::is_nothrow_constructible_v<T, Args...>) {
        void* const memory = this->raw_alloc(sizeof(T), std::align_val_t{alignof(T)});
        if (memory == nullptr) [[unlikely]]
            return std::unexpected(OutOfMemory{});
        return construct<T>(memory, std::forward<Args>(args)...);
    }

    /// Runs the destructor and frees. `T` is the type that `create` made, not a base of it. Null
    /// is ignored.
    template <class T>
    void destroy(CARBIDE_TAKES_OWNERSHIP T* object) const noexcept {
        if (object == nullptr) return;
        object->~T();
        this->raw_free(raw(object), sizeof(T), std::align_val_t{alignof(T)});
    }

    /// In place or `false`. On `true` the allocation has `count` elements, new ones undefined, at
    /// the same address; with 0 it is freed.
    template <TriviallyCopyable T>
    [[nodiscard]] bool resize(std::span<T> slice, std::size_t count) const noexcept {
        std::size_t new_bytes = 0;
        if (__builtin_mul_overflow(count, sizeof(T), &new_bytes)) return false;
        return this->raw_resize(raw(slice.data()), slice.size_bytes(), new_bytes,
                                std::align_val_t{alignof(T)});
    }

    /// May move. Nothing where a copy by the caller costs no more: then `slice` is untouched.
    template <TriviallyCopyable T>
    [[nodiscard]] std::optional<std::span<T>> remap(std::span<T> slice,
                                                    std::size_t count) const noexcept {
        std::size_t new_bytes = 0;
        if (__builtin_mul_overflow(count, sizeof(T), &new_bytes)) return std::nullopt;
        void* const memory = this->raw_remap(raw(slice.data()), slice.size_bytes(), new_bytes,
                                             std::align_val_t{alignof(T)});
        if (memory == nullptr) return std::nullopt;
        return std::span<T>(static_cast<T*>(memory), count);
    }

    /// Grows or shrinks, in place or not. On failure `slice` is untouched and still the caller's.
    template <TriviallyCopyable T>
    CARBIDE_CALLER_OWNS Result<std::span<T>> realloc(CARBIDE_TAKES_OWNERSHIP std::span<T> slice,
                                                     std::size_t count) const noexcept {
        std::size_t new_bytes = 0;
        if (__builtin_mul_overflow(count, sizeof(T), &new_bytes)) [[unlikely]] {
            return std::unexpected(OutOfMemory{});
        }
        void* const memory = this->raw_realloc(raw(slice.data()), slice.size_bytes(), new_bytes,
                                               std::align_val_t{alignof(T)});
        if (memory == nullptr) [[unlikely]]
            return std::unexpected(OutOfMemory{});
        return std::span<T>(static_cast<T*>(memory), count);
    }

    /// A copy of the elements.
    template <TriviallyCopyable T>
    CARBIDE_CALLER_OWNS Result<std::span<std::remove_const_t<T>>> dupe(
        std::span<T> source) const noexcept {
        auto copy = alloc<std::remove_const_t<T>>(source.size());
        if (copy.has_value()) copy_bytes(copy->data(), source.data(), source.size_bytes());
        return copy;
    }
    CARBIDE_CALLER_OWNS Result<std::span<char>> dupe(std::string_view source) const noexcept {
        return dupe(std::span<const char>(source));
    }

    /// A copy of the text with a terminating zero, for C.
    CARBIDE_CALLER_OWNS Result<SentinelSlice<char>> dupe_z(std::string_view source) const noexcept {
        auto copy = alloc_sentinel<char>(source.size());
        if (copy.has_value()) copy_bytes(copy->data(), source.data(), source.size());
        return copy;
    }

    /// `alloc` for memory that the program cannot go on without: prints what was asked of which
    /// heap, with a stack trace, and aborts.
    template <ImplicitLifetime T>
    CARBIDE_CALLER_OWNS [[nodiscard]] std::span<T> must_alloc(std::size_t count) const noexcept {
        constexpr std::align_val_t alignment{alignof(T)};
        void* const memory = alloc_array(count, sizeof(T), alignment);
        if (memory == nullptr) [[unlikely]] {
            detail::must_failed(this->heap(), count, sizeof(T), alignment);
        }
        return std::span<T>(static_cast<T*>(memory), count);
    }

    /// `create` for an object that the program cannot go on without.
    template <class T, class... Args>
        requires std::is_constructible_v<T, Args...>
    CARBIDE_CALLER_OWNS [[nodiscard, gnu::returns_nonnull]] T* must_create(Args&&... args) const
        noexcept(std::is_nothrow_constructible_v<T, Args...>) {
        constexpr std::align_val_t alignment{alignof(T)};
        void* const memory = this->raw_alloc(sizeof(T), alignment);
        if (memory == nullptr) [[unlikely]] {
            detail::must_failed(this->heap(), 1, sizeof(T), alignment);
        }
        return construct<T>(memory, std::forward<Args>(args)...);
    }

private:
    [[nodiscard, gnu::always_inline]] void* alloc_array(std::size_t count,
                                                        std::size_t element_bytes,
                                                        std::align_val_t alignment) const noexcept {
        std::size_t size_bytes = 0;
        if (__builtin_mul_overflow(count, element_bytes, &size_bytes)) [[unlikely]]
            return nullptr;
        return this->raw_alloc(size_bytes, alignment);
    }

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"  // Aggregates may be given a prefix.
    template <class T, class... Args>
    [[gnu::always_inline]] T* construct(void* memory, Args&&... args) const
        noexcept(std::is_nothrow_constructible_v<T, Args...>) {
        if constexpr (std::is_nothrow_constructible_v<T, Args...>) {
            return ::new (memory) T(std::forward<Args>(args)...);
        } else {
            // Not a try block, so that the header compiles without exceptions.
            struct FreeOnThrow {
                const Operations& operations;
                void* memory;
                ~FreeOnThrow() {
                    if (memory == nullptr) return;
                    operations.raw_free(memory, sizeof(T), std::align_val_t{alignof(T)});
                }
            } guard{*this, memory};
            T* const object = ::new (memory) T(std::forward<Args>(args)...);
            guard.memory = nullptr;
            return object;
        }
    }
#pragma GCC diagnostic pop

    static void copy_bytes(void* target, const void* source, std::size_t size_bytes) noexcept {
        if (size_bytes != 0) std::memcpy(target, source, size_bytes);
    }

    template <class T>
    static void* raw(T* pointer) noexcept {
        return const_cast<void*>(static_cast<const volatile void*>(pointer));
    }
};

}  // namespace carbide
