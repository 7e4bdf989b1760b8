// SPDX-License-Identifier: MIT
#include "heap/debug/quarantine.hpp"

#include <algorithm>

#include "carbide/check.hpp"
#include "platform/pages.hpp"

namespace carbide::detail {
namespace {

constexpr std::size_t first_capacity = 256;

QuarantinedSlot* map_ring(std::size_t capacity) noexcept {
    const std::size_t bytes = platform::round_up_to_pages(capacity * sizeof(QuarantinedSlot));
    return static_cast<QuarantinedSlot*>(platform::map_pages(bytes, 1));
}

void unmap_ring(QuarantinedSlot* ring, std::size_t capacity) noexcept {
    if (ring == nullptr) return;
    platform::unmap_pages(ring, platform::round_up_to_pages(capacity * sizeof *ring));
}

}  // namespace

bool Quarantine::push(const QuarantinedSlot& slot, std::size_t size_bytes) noexcept {
    if (count_ == capacity_ && !grow()) return false;
    ring_[(first_ + count_) & (capacity_ - 1)] = slot;
    ++count_;
    bytes_ += size_bytes;
    return true;
}

void Quarantine::pop(std::size_t size_bytes) noexcept {
    CARBIDE_ASSERT(count_ != 0 && size_bytes <= bytes_);
    first_ = (first_ + 1) & (capacity_ - 1);
    --count_;
    bytes_ -= size_bytes;
}

bool Quarantine::grow() noexcept {
    const std::size_t capacity = std::max(capacity_ * 2, first_capacity);
    QuarantinedSlot* const ring = map_ring(capacity);
    if (ring == nullptr) return false;
    for (std::size_t i = 0; i < count_; ++i) ring[i] = ring_[(first_ + i) & (capacity_ - 1)];
    unmap_ring(ring_, capacity_);
    ring_ = ring;
    capacity_ = capacity;
    first_ = 0;
    return true;
}

void Quarantine::deinit() noexcept {
    unmap_ring(ring_, capacity_);
    *this = {};
}

}  // namespace carbide::detail
