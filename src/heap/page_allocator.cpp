// SPDX-License-Identifier: MIT
#include "carbide/page_allocator.hpp"

#include "carbide/memory_marks.hpp"
#include "heap/immortal.hpp"
#include "platform/pages.hpp"

namespace carbide {
namespace {

using platform::page_bytes;
using platform::round_up_to_pages;

constinit Immortal<PageAllocator> instance;

// The rest of the last page is not lent out.
void mark_rest(void* memory, std::size_t size_bytes, std::size_t mapped_bytes) noexcept {
    mark_no_access(static_cast<std::byte*>(memory) + size_bytes, mapped_bytes - size_bytes);
}

// Whoever maps these addresses next must not inherit our marks.
void unmark_rest(void* memory, std::size_t size_bytes, std::size_t mapped_bytes) noexcept {
    mark_undefined(static_cast<std::byte*>(memory) + size_bytes, mapped_bytes - size_bytes);
}

}  // namespace

void* PageAllocator::slow_alloc(Heap&, std::size_t size_bytes,
                                std::align_val_t alignment) noexcept {
    const std::size_t mapped_bytes = round_up_to_pages(size_bytes);
    if (mapped_bytes == 0) return nullptr;
    void* const memory = platform::map_pages(mapped_bytes, static_cast<std::size_t>(alignment));
    if (memory != nullptr) mark_rest(memory, size_bytes, mapped_bytes);
    return memory;
}

bool PageAllocator::slow_resize(Heap&, void* memory, std::size_t old_bytes, std::size_t new_bytes,
                                std::align_val_t) noexcept {
    const std::size_t old_mapped_bytes = round_up_to_pages(old_bytes);
    const std::size_t new_mapped_bytes = round_up_to_pages(new_bytes);
    if (new_mapped_bytes == 0) return false;
    unmark_rest(memory, old_bytes, old_mapped_bytes);
    const bool resized = platform::resize_pages(memory, old_mapped_bytes, new_mapped_bytes);
    mark_rest(memory, resized ? new_bytes : old_bytes,
              resized ? new_mapped_bytes : old_mapped_bytes);
    return resized;
}

void* PageAllocator::slow_remap(Heap& heap, void* memory, std::size_t old_bytes,
                                std::size_t new_bytes, std::align_val_t alignment) noexcept {
    // The kernel moves to any page boundary, which is not enough for a greater alignment.
    if (static_cast<std::size_t>(alignment) > page_bytes()) {
        return remap_in_place(heap, memory, old_bytes, new_bytes, alignment);
    }
    const std::size_t old_mapped_bytes = round_up_to_pages(old_bytes);
    const std::size_t new_mapped_bytes = round_up_to_pages(new_bytes);
    if (new_mapped_bytes == 0) return nullptr;
    unmark_rest(memory, old_bytes, old_mapped_bytes);
    void* const moved = platform::move_pages(memory, old_mapped_bytes, new_mapped_bytes);
    if (moved == nullptr) {
        mark_rest(memory, old_bytes, old_mapped_bytes);
        return nullptr;
    }
    mark_rest(moved, new_bytes, new_mapped_bytes);
    return moved;
}

void PageAllocator::slow_free(Heap&, void* memory, std::size_t size_bytes,
                              std::align_val_t) noexcept {
    const std::size_t mapped_bytes = round_up_to_pages(size_bytes);
    unmark_rest(memory, size_bytes, mapped_bytes);
    platform::unmap_pages(memory, mapped_bytes);
}

Allocator page_allocator() noexcept { return instance.object.allocator(); }

}  // namespace carbide
