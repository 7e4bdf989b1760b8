// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory_resource>
#include <new>
#include <utility>

#include "carbide/allocator.hpp"
#include "carbide/arena_allocator.hpp"
#include "carbide/pool_allocator.hpp"

/// What the workloads get their memory from: the same few functions over Carbide's handle, over
/// its concrete allocators, and over their peers. Each is written as a user of that source would.
/// Null is out of memory; the peers' own way of saying so would end the program here.
namespace bench {

/// The best bump pointer that we could write by hand: no chunks, no free, no growth.
struct HandWrittenBump {
    std::uintptr_t cursor;
    std::uintptr_t limit;

    [[nodiscard]] void* alloc(std::size_t size_bytes, std::size_t alignment_bytes) noexcept {
        const std::uintptr_t start = (cursor + alignment_bytes - 1) & ~(alignment_bytes - 1);
        if (start > limit || size_bytes > limit - start) [[unlikely]] {
            return nullptr;
        }
        if (start == 0) __builtin_unreachable();  // Spares `create` its test, as in Carbide.
        cursor = start + size_bytes;
        return reinterpret_cast<void*>(start);
    }
};

/// malloc and free, new and delete, without anything between.
struct Malloc {};

// --- One object ---------------------------------------------------------------------------------

template <class T, class... Args>
T* create(carbide::Allocator source, Args&&... args) {
    auto object = source.create<T>(std::forward<Args>(args)...);
    return object.has_value() ? *object : nullptr;
}

template <class T, class... Args>
T* create(carbide::ArenaAllocator& source, Args&&... args) {
    auto object = source.create<T>(std::forward<Args>(args)...);
    return object.has_value() ? *object : nullptr;
}

template <class T, class... Args>
T* create(carbide::PoolAllocator<T>& source, Args&&... args) {
    auto object = source.create(std::forward<Args>(args)...);
    return object.has_value() ? *object : nullptr;
}

template <class T, class... Args>
T* create(HandWrittenBump& source, Args&&... args) {
    void* const memory = source.alloc(sizeof(T), alignof(T));
    return memory == nullptr ? nullptr : new (memory) T{std::forward<Args>(args)...};
}

template <class T, class... Args>
T* create(std::pmr::memory_resource& source, Args&&... args) {
    void* const memory = source.allocate(sizeof(T), alignof(T));
    return new (memory) T{std::forward<Args>(args)...};
}

template <class T, class... Args>
T* create(Malloc, Args&&... args) {
    return new T{std::forward<Args>(args)...};
}

template <class T>
void destroy(carbide::Allocator source, T* object) {
    source.destroy(object);
}

template <class T>
void destroy(carbide::PoolAllocator<T>& source, T* object) {
    source.destroy(object);
}

template <class T>
void destroy(std::pmr::memory_resource& source, T* object) {
    object->~T();
    source.deallocate(object, sizeof(T), alignof(T));
}

template <class T>
void destroy(Malloc, T* object) {
    delete object;
}

// --- Characters ---------------------------------------------------------------------------------

inline char* alloc_chars(carbide::Allocator source, std::size_t count) {
    auto chars = source.alloc<char>(count);
    return chars.has_value() ? chars->data() : nullptr;
}

inline char* alloc_chars(HandWrittenBump& source, std::size_t count) {
    return static_cast<char*>(source.alloc(count, 1));
}

inline char* alloc_chars(std::pmr::memory_resource& source, std::size_t count) {
    return static_cast<char*>(source.allocate(count, 1));
}

inline char* alloc_chars(Malloc, std::size_t count) {
    return static_cast<char*>(std::malloc(count));
}

inline char* realloc_chars(carbide::Allocator source, char* chars, std::size_t old_count,
                           std::size_t new_count) {
    auto grown = source.realloc(std::span(chars, old_count), new_count);
    return grown.has_value() ? grown->data() : nullptr;
}

inline char* realloc_chars(std::pmr::memory_resource& source, char* chars, std::size_t old_count,
                           std::size_t new_count) {
    auto* const grown = static_cast<char*>(source.allocate(new_count, 1));
    std::memcpy(grown, chars, old_count);
    source.deallocate(chars, old_count, 1);
    return grown;
}

inline char* realloc_chars(Malloc, char* chars, std::size_t, std::size_t new_count) {
    return static_cast<char*>(std::realloc(chars, new_count));
}

}  // namespace bench
