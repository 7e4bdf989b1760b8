// SPDX-License-Identifier: MIT
#include "heap/debug/page_map.hpp"

#include <algorithm>

#include "platform/pages.hpp"

namespace carbide::detail {

bool PageMap::init() noexcept {
    // Fresh pages are zero, which is the bit pattern of a null pointer.
    void* const pages = platform::map_pages(root_size * sizeof *root_, 1);
    root_ = static_cast<std::atomic<Leaf*>*>(pages);
    return root_ != nullptr;
}

void PageMap::deinit() noexcept {
    if (root_ == nullptr) return;
    for (std::uintptr_t i = lowest_; i <= highest_; ++i) {
        Leaf* const leaf = root_[i].load(std::memory_order_relaxed);
        if (leaf != nullptr) platform::unmap_pages(leaf, sizeof(Leaf));
    }
    platform::unmap_pages(root_, root_size * sizeof *root_);
    root_ = nullptr;
}

bool PageMap::reserve(std::uintptr_t begin, std::size_t size_bytes) noexcept {
    const std::uintptr_t last = begin + size_bytes - 1;
    if (last < begin || last >> address_bits != 0) return false;
    for (std::uintptr_t i = begin >> leaf_shift; i <= last >> leaf_shift; ++i) {
        if (root_[i].load(std::memory_order_relaxed) != nullptr) continue;
        void* const pages = platform::map_pages(sizeof(Leaf), 1);
        if (pages == nullptr) return false;
        root_[i].store(static_cast<Leaf*>(pages), std::memory_order_release);
        lowest_ = std::min(lowest_, i);
        highest_ = std::max(highest_, i);
    }
    return true;
}

void PageMap::enter(std::uintptr_t begin, std::size_t size_bytes, Span* span) noexcept {
    for (std::uintptr_t at = begin; at < begin + size_bytes; at += unit_bytes) {
        Leaf* const leaf = root_[at >> leaf_shift].load(std::memory_order_relaxed);
        leaf->spans[at / unit_bytes % leaf_size].store(span, std::memory_order_release);
    }
}

}  // namespace carbide::detail
