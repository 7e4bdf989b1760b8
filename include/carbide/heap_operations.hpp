// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <new>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "carbide/allocator.hpp"
#include "carbide/annotations.hpp"
#include "carbide/operations.hpp"

namespace carbide {

/// What every concrete allocator has in common: `allocator()`, and the typed operations on the
/// allocator itself, so that code that knows the type calls its slow path directly.
///
/// What they return is bound to the allocator's lifetime, and clang warns where it outlives it.
/// (On the by-value handle the same attribute would warn about every returned pointer.)
///
/// `Concrete` derives from `HeapOperations<Concrete>`, has it as a friend, and has private static
/// functions `slow_alloc`, `slow_resize`, `slow_remap` and `slow_free` as `VTable` wants them. It
/// may have private constants `verifies_frees` and `has_window`, and a private static function
/// `slow_owns`.
template <class Concrete>
class HeapOperations : protected Heap {
public:
    /// The handle to inject. Valid as long as the allocator.
    [[nodiscard]] Allocator allocator() noexcept CARBIDE_LIFETIMEBOUND { return Allocator(*this); }

    template <class T>
    Result<std::span<T>> alloc(std::size_t count) noexcept CARBIDE_LIFETIMEBOUND {
        return direct().template alloc<T>(count);
    }
    template <class T, std::size_t Alignment>
    Result<AlignedSlice<T, Alignment>> alloc_aligned(std::size_t count) noexcept
        CARBIDE_LIFETIMEBOUND {
        return direct().template alloc_aligned<T, Alignment>(count);
    }
    template <class T, T Sentinel = T{}>
    Result<SentinelSlice<T, Sentinel>> alloc_sentinel(std::size_t count) noexcept
        CARBIDE_LIFETIMEBOUND {
        return direct().template alloc_sentinel<T, Sentinel>(count);
    }
    template <class T>
    Result<std::span<T>> alloc_zeroed(std::size_t count) noexcept CARBIDE_LIFETIMEBOUND {
        return direct().template alloc_zeroed<T>(count);
    }
    template <class T>
    [[nodiscard]] std::span<T> must_alloc(std::size_t count) noexcept CARBIDE_LIFETIMEBOUND {
        return direct().template must_alloc<T>(count);
    }
    template <class Slice>
    void free(CARBIDE_TAKES_OWNERSHIP Slice slice) noexcept {
        direct().free(slice);
    }

    template <class T, class... Args>
    Result<T*> create(Args&&... args) noexcept(std::is_nothrow_constructible_v<T, Args...>)
        CARBIDE_LIFETIMEBOUND {
        return direct().template create<T>(std::forward<Args>(args)...);
    }
    template <class T, class... Args>
    [[nodiscard]] T* must_create(Args&&... args) noexcept(
        std::is_nothrow_constructible_v<T, Args...>) CARBIDE_LIFETIMEBOUND {
        return direct().template must_create<T>(std::forward<Args>(args)...);
    }
    template <class T>
    void destroy(CARBIDE_TAKES_OWNERSHIP T* object) noexcept {
        direct().destroy(object);
    }

    template <class T>
    [[nodiscard]] bool resize(std::span<T> slice, std::size_t count) noexcept {
        return direct().resize(slice, count);
    }
    template <class T>
    [[nodiscard]] std::optional<std::span<T>> remap(std::span<T> slice,
                                                    std::size_t count) noexcept {
        return direct().remap(slice, count);
    }
    template <class T>
    Result<std::span<T>> realloc(CARBIDE_TAKES_OWNERSHIP std::span<T> slice,
                                 std::size_t count) noexcept CARBIDE_LIFETIMEBOUND {
        return direct().realloc(slice, count);
    }

    template <class T>
    Result<std::span<std::remove_const_t<T>>> dupe(std::span<T> source) noexcept
        CARBIDE_LIFETIMEBOUND {
        return direct().dupe(source);
    }
    Result<std::span<char>> dupe(std::string_view source) noexcept CARBIDE_LIFETIMEBOUND {
        return direct().dupe(source);
    }
    Result<SentinelSlice<char>> dupe_z(std::string_view source) noexcept CARBIDE_LIFETIMEBOUND {
        return direct().dupe_z(source);
    }

    [[nodiscard]] void* raw_alloc(std::size_t size_bytes,
                                  std::align_val_t alignment) noexcept CARBIDE_LIFETIMEBOUND {
        return direct().raw_alloc(size_bytes, alignment);
    }
    [[nodiscard]] bool raw_resize(void* memory, std::size_t old_bytes, std::size_t new_bytes,
                                  std::align_val_t alignment) noexcept {
        return direct().raw_resize(memory, old_bytes, new_bytes, alignment);
    }
    [[nodiscard]] void* raw_remap(void* memory, std::size_t old_bytes, std::size_t new_bytes,
                                  std::align_val_t alignment) noexcept {
        return direct().raw_remap(memory, old_bytes, new_bytes, alignment);
    }
    [[nodiscard]] void* raw_realloc(void* memory, std::size_t old_bytes, std::size_t new_bytes,
                                    std::align_val_t alignment) noexcept {
        return direct().raw_realloc(memory, old_bytes, new_bytes, alignment);
    }
    void raw_free(void* memory, std::size_t size_bytes, std::align_val_t alignment) noexcept {
        direct().raw_free(memory, size_bytes, alignment);
    }

    /// Forgets which thread owns the heap, so that another may take it over. Call it where you
    /// hand the heap over, with the synchronisation that doing so needs anyway.
    void detach_from_thread() noexcept {
        if (owner != owner_shared) owner = owner_unclaimed;
    }

    /// The name given in the options, for reports.
    [[nodiscard]] const char* name() const noexcept { return Heap::name; }

protected:
    explicit constexpr HeapOperations(const char* heap_name,
                                      Sharing sharing = Sharing::single_owner) noexcept
        : Heap(table(), heap_name, sharing) {}
    ~HeapOperations() = default;

    /// The allocator that starts with this header.
    [[nodiscard]] static Concrete& self(Heap& heap) noexcept {
        return static_cast<Concrete&>(static_cast<HeapOperations&>(heap));
    }

    /// For `slow_remap` where moving is never cheaper than a copy by the caller.
    [[nodiscard]] static void* remap_in_place(Heap& heap, void* memory, std::size_t old_bytes,
                                              std::size_t new_bytes,
                                              std::align_val_t alignment) noexcept {
        return Concrete::slow_resize(heap, memory, old_bytes, new_bytes, alignment) ? memory
                                                                                    : nullptr;
    }

private:
    // A handle whose slow path is Concrete's own, called without the table.
    class Direct : public Operations<Direct> {
    public:
        explicit Direct(Heap& heap) noexcept : heap_(&heap) {}
        [[nodiscard]] Heap& heap() const noexcept { return *heap_; }

        [[nodiscard]] static consteval bool has_window() noexcept {
            if constexpr (requires { Concrete::has_window; }) return Concrete::has_window;
            return true;
        }

        static void* slow_alloc(Heap& heap, std::size_t size_bytes,
                                std::align_val_t alignment) noexcept {
            return Concrete::slow_alloc(heap, size_bytes, alignment);
        }
        static bool slow_resize(Heap& heap, void* memory, std::size_t old_bytes,
                                std::size_t new_bytes, std::align_val_t alignment) noexcept {
            return Concrete::slow_resize(heap, memory, old_bytes, new_bytes, alignment);
        }
        static void* slow_remap(Heap& heap, void* memory, std::size_t old_bytes,
                                std::size_t new_bytes, std::align_val_t alignment) noexcept {
            return Concrete::slow_remap(heap, memory, old_bytes, new_bytes, alignment);
        }
        static void slow_free(Heap& heap, void* memory, std::size_t size_bytes,
                              std::align_val_t alignment) noexcept {
            Concrete::slow_free(heap, memory, size_bytes, alignment);
        }

    private:
        Heap* heap_;
    };

    Direct direct() noexcept { return Direct(*this); }

    // A function, because Concrete is not complete where this class is instantiated.
    static constexpr const VTable& table() noexcept { return vtable_of<Concrete>; }

    template <class C>
    static constexpr bool verifies_frees_of = [] {
        if constexpr (requires { C::verifies_frees; }) return C::verifies_frees;
        return false;
    }();

    template <class C>
    static constexpr auto owns_of = []() -> bool (*)(Heap&, const void*) noexcept {
        if constexpr (requires { &C::slow_owns; }) return &C::slow_owns;
        return nullptr;
    }();

    template <class C>
    static constexpr VTable vtable_of{&C::slow_alloc, &C::slow_resize,      &C::slow_remap,
                                      &C::slow_free,  verifies_frees_of<C>, owns_of<C>};
};

}  // namespace carbide
