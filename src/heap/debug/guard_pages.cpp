// SPDX-License-Identifier: MIT
#include "heap/debug/guard_pages.hpp"

#include <algorithm>

#include "heap/debug/size_classes.hpp"
#include "platform/pages.hpp"

namespace carbide::detail {

// At the beginning of the addresses that it describes.
struct GuardPages::Region {
    Region* older;
    std::size_t size_bytes;
};

std::uintptr_t GuardPages::take(std::size_t size_bytes, std::size_t alignment_bytes) noexcept {
    const std::size_t mask = std::max(alignment_bytes, unit_bytes) - 1;
    std::uintptr_t begin = (next_ + mask) & ~mask;
    if (begin > end_ || size_bytes > end_ - begin) {
        std::size_t needed_bytes = 0;
        if (__builtin_add_overflow(size_bytes, mask, &needed_bytes)) return 0;
        if (!add_region(needed_bytes)) return 0;
        begin = (next_ + mask) & ~mask;
    }
    next_ = begin + size_bytes;
    return begin;
}

bool GuardPages::add_region(std::size_t size_bytes_min) noexcept {
    std::size_t size_bytes = 0;  // The first unit is the region's own.
    if (__builtin_add_overflow(size_bytes_min, 2 * unit_bytes, &size_bytes)) return false;
    size_bytes = platform::round_up_to_pages(std::max(size_bytes, region_bytes));
    void* const pages = size_bytes == 0 ? nullptr : platform::reserve_pages(size_bytes);
    if (pages == nullptr) return false;
    const auto begin = reinterpret_cast<std::uintptr_t>(pages);
    if (!open(begin, platform::page_bytes())) {
        platform::unmap_pages(pages, size_bytes);
        return false;
    }
    newest_ = new (pages) Region{newest_, size_bytes};
    next_ = begin + unit_bytes;
    end_ = begin + size_bytes;
    return true;
}

bool GuardPages::open(std::uintptr_t begin, std::size_t size_bytes) noexcept {
    return platform::open_pages(reinterpret_cast<void*>(begin), size_bytes);
}

void GuardPages::close(std::uintptr_t begin, std::size_t size_bytes) noexcept {
    platform::close_pages(reinterpret_cast<void*>(begin), size_bytes);
}

void GuardPages::deinit() noexcept {
    while (newest_ != nullptr) {
        Region* const region = newest_;
        newest_ = region->older;
        platform::unmap_pages(region, region->size_bytes);
    }
    next_ = end_ = 0;
}

}  // namespace carbide::detail
