// SPDX-License-Identifier: MIT
#include "platform/permanent_memory.hpp"

#include "platform/pages.hpp"

namespace carbide::platform {
namespace {

constexpr std::size_t chunk_bytes = std::size_t{64} << 10;

}  // namespace

void* PermanentMemory::alloc(std::size_t size_bytes) noexcept {
    if (size_bytes > chunk_bytes) return nullptr;
    const std::size_t rounded_bytes = (size_bytes + 7) & ~std::size_t{7};
    if (rounded_bytes > free_bytes_) {
        // In this order: a child that takes over from here sees old memory or none.
        free_bytes_ = 0;
        free_ = static_cast<std::byte*>(map_pages(chunk_bytes, 1));
        if (free_ == nullptr) return nullptr;
        free_bytes_ = chunk_bytes;
    }
    free_bytes_ -= rounded_bytes;
    return free_ + free_bytes_;
}

}  // namespace carbide::platform
