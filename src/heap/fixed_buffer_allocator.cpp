// SPDX-License-Identifier: MIT
#include "carbide/fixed_buffer_allocator.hpp"

#include <algorithm>

#include "carbide/check.hpp"
#include "carbide/memory_marks.hpp"

namespace carbide {

// The buffer, low addresses first:
//
//   | odd | window: whole granules                                    | odd |
//   ^ begin()                                                               ^ end()
//         ^ window_begin()                                            ^ window_limit()
//
// Fewer than 8 bytes at either end belong to no granule. Two allocations may reach into them, both
// made and freed here, never inlined:
//
//   head   Begins at begin(), while nothing else is lent. The window then begins behind it.
//   tail   Begins where the window ended up and reaches beyond window_limit(). The window then
//          ends where the tail begins: `tail_`. A head that fills the buffer is the tail as well.
namespace {

constexpr std::uintptr_t granule_mask = window_granule_bytes - 1;

// Whether [address, address + size_bytes) ends by `end`, without computing what may overflow.
bool fits(std::uintptr_t address, std::size_t size_bytes, std::uintptr_t end) noexcept {
    return address <= end && size_bytes <= end - address;
}

std::uintptr_t address_of(const void* memory) noexcept {
    return reinterpret_cast<std::uintptr_t>(memory);
}

}  // namespace

FixedBufferAllocator::FixedBufferAllocator(std::span<std::byte> buffer, const char* name) noexcept
    : HeapOperations(name), buffer_(buffer), window_(*this), shared_view_(*this, name) {
    reset();
}

FixedBufferAllocator::~FixedBufferAllocator() {
    mark_undefined(buffer_.data(), buffer_.size());  // The bytes are their owner's again.
}

void FixedBufferAllocator::reset() noexcept {
    mark_no_access(buffer_.data(), buffer_.size());
    tail_ = 0;
    head_lent_ = false;
    window_.open(window_begin(), window_limit());
    detach_from_thread();  // Whoever uses it next owns it.
}

Allocator FixedBufferAllocator::shared_view() noexcept { return shared_view_.allocator(); }

bool FixedBufferAllocator::owns(const void* memory) const noexcept {
    return address_of(memory) >= begin() && address_of(memory) < end();
}

bool FixedBufferAllocator::owns_slice(std::span<const std::byte> slice) const noexcept {
    const std::uintptr_t address = address_of(slice.data());
    return address >= begin() && fits(address, slice.size(), end());
}

std::size_t FixedBufferAllocator::used_bytes() const noexcept {
    const bool front_is_free = window_.cursor() == window_begin() && !head_lent_;
    const std::size_t front_bytes = front_is_free ? 0 : window_.cursor() - begin();
    if (tail_ == 0) return std::min(front_bytes, buffer_.size());
    return front_is_free ? end() - tail_
                         : front_bytes + (end() - std::max(tail_, window_.cursor()));
}

void* FixedBufferAllocator::slow_alloc(Heap& heap, std::size_t size_bytes,
                                       std::align_val_t alignment) noexcept {
    FixedBufferAllocator& buffer = self(heap);
    if (void* const memory = buffer.window_.alloc(size_bytes, alignment)) return memory;
    return buffer.alloc_odd(size_bytes, alignment);
}

bool FixedBufferAllocator::slow_resize(Heap& heap, void* memory, std::size_t old_bytes,
                                       std::size_t new_bytes, std::align_val_t) noexcept {
    FixedBufferAllocator& buffer = self(heap);
    CARBIDE_CHECK(buffer.owns(memory), "resize of memory that is not from this fixed buffer");
    const std::uintptr_t address = address_of(memory);
    if (!buffer.is_odd(address)) return buffer.window_.resize(memory, old_bytes, new_bytes);
    if (!buffer.resize_odd(address, old_bytes, new_bytes)) return false;
    auto* const bytes = static_cast<std::byte*>(memory);
    if (new_bytes < old_bytes) {
        mark_no_access(bytes + new_bytes, old_bytes - new_bytes);
    } else {
        mark_undefined(bytes + old_bytes, new_bytes - old_bytes);
    }
    return true;
}

void* FixedBufferAllocator::slow_remap(Heap& heap, void* memory, std::size_t old_bytes,
                                       std::size_t new_bytes, std::align_val_t alignment) noexcept {
    return remap_in_place(heap, memory, old_bytes, new_bytes, alignment);
}

void FixedBufferAllocator::slow_free(Heap& heap, void* memory, std::size_t size_bytes,
                                     std::align_val_t) noexcept {
    FixedBufferAllocator& buffer = self(heap);
    CARBIDE_CHECK(buffer.owns(memory), "free of memory that is not from this fixed buffer");
    const std::uintptr_t address = address_of(memory);
    if (!buffer.is_odd(address)) {
        CARBIDE_CHECK(fits(address, size_bytes, buffer.window_.cursor()),
                      "free of memory that is not lent out: freed twice, or before a reset");
        buffer.window_.free(memory, size_bytes);
        return;
    }
    mark_no_access(memory, size_bytes);
    buffer.free_odd(address, size_bytes);
}

// Head or tail, where the window alone is too small.
void* FixedBufferAllocator::alloc_odd(std::size_t size_bytes, std::align_val_t alignment) noexcept {
    if (tail_ != 0) return nullptr;
    const std::uintptr_t mask = static_cast<std::size_t>(alignment) - 1;
    const std::uintptr_t free_begin = window_.cursor();
    const std::uintptr_t aligned = (free_begin + mask) & ~mask;
    std::uintptr_t address = 0;
    if (aligned >= free_begin && aligned <= window_limit() && fits(aligned, size_bytes, end())) {
        address = aligned;
        tail_ = address;
        window_.set_limit(address);
    } else if (free_begin == window_begin() && !head_lent_ && begin() != window_begin() &&
               (begin() & mask) == 0 && fits(begin(), size_bytes, end())) {
        address = begin();
        head_lent_ = true;
        if (!fits(address, size_bytes, window_limit())) tail_ = address;
        window_.open(head_cursor(size_bytes), window_limit());
    } else {
        return nullptr;
    }
    auto* const memory = reinterpret_cast<void*>(address);
    mark_undefined(memory, size_bytes);
    return memory;
}

bool FixedBufferAllocator::resize_odd(std::uintptr_t address, std::size_t old_bytes,
                                      std::size_t new_bytes) noexcept {
    if (!is_head(address)) return fits(address, new_bytes, end());
    if (window_.cursor() != head_cursor(old_bytes)) return new_bytes <= old_bytes;  // Not newest.
    const bool tail_is_other = tail_ != 0 && tail_ != address;
    const std::uintptr_t room_end = tail_is_other ? tail_ : end();
    if (!fits(address, new_bytes, room_end)) return false;
    if (!tail_is_other) tail_ = fits(address, new_bytes, window_limit()) ? 0 : address;
    window_.open(head_cursor(new_bytes), tail_is_other ? tail_ : window_limit());
    return true;
}

void FixedBufferAllocator::free_odd(std::uintptr_t address, std::size_t size_bytes) noexcept {
    const bool was_head = is_head(address);
    if (address == tail_) {
        tail_ = 0;
        window_.set_limit(window_limit());
    }
    if (!was_head) return;
    head_lent_ = false;
    if (window_.cursor() != head_cursor(size_bytes)) return;  // Not the newest.
    window_.open(window_begin(), tail_ == 0 ? window_limit() : tail_);
}

bool FixedBufferAllocator::is_head(std::uintptr_t address) const noexcept {
    return head_lent_ && address == begin();
}

bool FixedBufferAllocator::is_odd(std::uintptr_t address) const noexcept {
    return address == tail_ || is_head(address);
}

std::uintptr_t FixedBufferAllocator::begin() const noexcept { return address_of(buffer_.data()); }

std::uintptr_t FixedBufferAllocator::end() const noexcept { return begin() + buffer_.size(); }

// In a buffer too small for a granule the window is empty, and lies at its end.
std::uintptr_t FixedBufferAllocator::window_begin() const noexcept {
    return (begin() + granule_mask) & ~granule_mask;
}

std::uintptr_t FixedBufferAllocator::window_limit() const noexcept {
    return std::max(end() & ~granule_mask, window_begin());
}

// Where the window begins behind a head of this size.
std::uintptr_t FixedBufferAllocator::head_cursor(std::size_t size_bytes) const noexcept {
    return std::min((begin() + size_bytes + granule_mask) & ~granule_mask, window_limit());
}

void* FixedBufferAllocator::SharedView::slow_alloc(Heap& heap, std::size_t size_bytes,
                                                   std::align_val_t alignment) noexcept {
    return self(heap).buffer_.window_.alloc_shared(size_bytes, alignment);
}

bool FixedBufferAllocator::SharedView::slow_resize(Heap&, void*, std::size_t, std::size_t,
                                                   std::align_val_t) noexcept {
    return false;
}

void* FixedBufferAllocator::SharedView::slow_remap(Heap&, void*, std::size_t, std::size_t,
                                                   std::align_val_t) noexcept {
    return nullptr;
}

void FixedBufferAllocator::SharedView::slow_free(Heap&, void* memory, std::size_t size_bytes,
                                                 std::align_val_t) noexcept {
    mark_no_access(memory, size_bytes);
}

bool FixedBufferAllocator::slow_owns(Heap& heap, const void* memory) noexcept {
    const std::span<std::byte> buffer = self(heap).buffer_;
    const auto begin = reinterpret_cast<std::uintptr_t>(buffer.data());
    return reinterpret_cast<std::uintptr_t>(memory) - begin < buffer.size();
}

}  // namespace carbide
