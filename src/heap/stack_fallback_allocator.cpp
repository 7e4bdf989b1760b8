// SPDX-License-Identifier: MIT
#include "carbide/stack_fallback_allocator.hpp"

#include <cstdint>

#include "carbide/memory_marks.hpp"

namespace carbide {

StackFallbackBase::StackFallbackBase(std::span<std::byte> buffer, Allocator fallback,
                                     const char* name) noexcept
    : HeapOperations(name), buffer_(buffer), fallback_(fallback), window_(*this) {
    const auto begin = reinterpret_cast<std::uintptr_t>(buffer.data());
    window_.open(begin, begin + buffer.size());
}

StackFallbackBase::~StackFallbackBase() { mark_undefined(buffer_.data(), buffer_.size()); }

bool StackFallbackBase::owns(const void* memory) const noexcept {
    const auto address = reinterpret_cast<std::uintptr_t>(memory);
    const auto begin = reinterpret_cast<std::uintptr_t>(buffer_.data());
    return address >= begin && address - begin < buffer_.size();
}

std::size_t StackFallbackBase::used_bytes() const noexcept {
    return buffer_.size() - (window_.limit() - window_.cursor());
}

void* StackFallbackBase::slow_alloc(Heap& heap, std::size_t size_bytes,
                                    std::align_val_t alignment) noexcept {
    StackFallbackBase& stack = self(heap);
    if (void* const memory = stack.window_.alloc(size_bytes, alignment)) return memory;
    return stack.fallback_.raw_alloc(size_bytes, alignment);
}

bool StackFallbackBase::slow_resize(Heap& heap, void* memory, std::size_t old_bytes,
                                    std::size_t new_bytes, std::align_val_t alignment) noexcept {
    StackFallbackBase& stack = self(heap);
    if (stack.owns(memory)) return stack.window_.resize(memory, old_bytes, new_bytes);
    return stack.fallback_.raw_resize(memory, old_bytes, new_bytes, alignment);
}

void* StackFallbackBase::slow_remap(Heap& heap, void* memory, std::size_t old_bytes,
                                    std::size_t new_bytes, std::align_val_t alignment) noexcept {
    StackFallbackBase& stack = self(heap);
    if (stack.owns(memory)) {
        return stack.window_.resize(memory, old_bytes, new_bytes) ? memory : nullptr;
    }
    return stack.fallback_.raw_remap(memory, old_bytes, new_bytes, alignment);
}

void StackFallbackBase::slow_free(Heap& heap, void* memory, std::size_t size_bytes,
                                  std::align_val_t alignment) noexcept {
    StackFallbackBase& stack = self(heap);
    if (stack.owns(memory)) {
        detail::fill_undefined(memory, size_bytes);
        stack.window_.free(memory, size_bytes);
    } else {
        stack.fallback_.raw_free(memory, size_bytes, alignment);
    }
}

bool StackFallbackBase::slow_owns(Heap& heap, const void* memory) noexcept {
    return self(heap).owns(memory);
}

}  // namespace carbide
