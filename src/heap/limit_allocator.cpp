// SPDX-License-Identifier: MIT
#include "carbide/limit_allocator.hpp"

#include "carbide/check.hpp"

// `used_bytes_` is acquired by reservations and released by frees, which give the memory back
// first. So whoever is granted freed bytes finds that the backing has them again.

namespace carbide {

LimitAllocator::LimitAllocator(const Options& options) noexcept
    : HeapOperations(options.name, Sharing::shared),
      backing_(options.backing),
      on_exhausted_(options.on_exhausted),
      on_exhausted_context_(options.on_exhausted_context),
      limit_bytes_(options.limit_bytes) {}

void* LimitAllocator::slow_alloc(Heap& heap, std::size_t size_bytes,
                                 std::align_val_t alignment) noexcept {
    LimitAllocator& limit = self(heap);
    return limit.charged(0, size_bytes,
                         [&] { return limit.backing_.raw_alloc(size_bytes, alignment); });
}

bool LimitAllocator::slow_resize(Heap& heap, void* memory, std::size_t old_bytes,
                                 std::size_t new_bytes, std::align_val_t alignment) noexcept {
    LimitAllocator& limit = self(heap);
    return limit.charged(old_bytes, new_bytes, [&] {
        return limit.backing_.raw_resize(memory, old_bytes, new_bytes, alignment);
    });
}

void* LimitAllocator::slow_remap(Heap& heap, void* memory, std::size_t old_bytes,
                                 std::size_t new_bytes, std::align_val_t alignment) noexcept {
    LimitAllocator& limit = self(heap);
    return limit.charged(old_bytes, new_bytes, [&] {
        return limit.backing_.raw_remap(memory, old_bytes, new_bytes, alignment);
    });
}

void LimitAllocator::slow_free(Heap& heap, void* memory, std::size_t size_bytes,
                               std::align_val_t alignment) noexcept {
    LimitAllocator& limit = self(heap);
    limit.backing_.raw_free(memory, size_bytes, alignment);
    limit.release(size_bytes);
}

std::size_t LimitAllocator::remaining_bytes() const noexcept {
    const std::size_t granted_bytes = limit_bytes();
    const std::size_t taken_bytes = used_bytes();
    return taken_bytes < granted_bytes ? granted_bytes - taken_bytes : 0;
}

// Charges the difference, or nothing where `change`, a call of the backing, fails.
//
// Growth is reserved before the call and rolled back after it, although wrappers otherwise charge
// after success: two threads that both looked, allocated and then charged would exceed the limit
// together. Whoever is alone cannot tell the two orders apart.
template <class Change>
auto LimitAllocator::charged(std::size_t old_bytes, std::size_t new_bytes, Change change) noexcept
    -> decltype(change()) {
    if (new_bytes <= old_bytes) {
        const auto changed = change();
        if (changed) release(old_bytes - new_bytes);
        return changed;
    }
    const std::size_t grown_bytes = new_bytes - old_bytes;
    const std::size_t used_bytes = reserve(grown_bytes);
    if (used_bytes == 0) return {};
    const auto changed = change();
    if (changed) {
        raise_peak(used_bytes);
    } else {
        release(grown_bytes);
    }
    return changed;
}

// What is in use with `needed_bytes` included, or 0 where they are not granted.
std::size_t LimitAllocator::reserve(std::size_t needed_bytes) noexcept {
    CARBIDE_ASSERT(needed_bytes != 0);
    for (;;) {
        const std::size_t used_bytes = try_reserve(needed_bytes);
        if (used_bytes != 0) return used_bytes;
        if (on_exhausted_ == nullptr ||
            on_exhausted_(on_exhausted_context_, *this, needed_bytes) == Decision::fail) {
            exhausted_count_.fetch_add(1, std::memory_order_relaxed);
            return 0;
        }
    }
}

std::size_t LimitAllocator::try_reserve(std::size_t needed_bytes) noexcept {
    std::size_t used_bytes = load(used_bytes_);
    do {
        const std::size_t limit_bytes = load(limit_bytes_);
        if (used_bytes > limit_bytes) return 0;
        if (needed_bytes > limit_bytes - used_bytes) return 0;
    } while (!used_bytes_.compare_exchange_weak(used_bytes, used_bytes + needed_bytes,
                                                std::memory_order_acquire,
                                                std::memory_order_relaxed));
    return used_bytes + needed_bytes;
}

void LimitAllocator::release(std::size_t freed_bytes) noexcept {
    const std::size_t used_bytes = used_bytes_.fetch_sub(freed_bytes, std::memory_order_release);
    CARBIDE_CHECK(freed_bytes <= used_bytes,
                  "more bytes were freed through a LimitAllocator than it had lent out");
}

void LimitAllocator::raise_peak(std::size_t used_bytes) noexcept {
    std::size_t peak_bytes = load(peak_bytes_);
    while (peak_bytes < used_bytes &&
           !peak_bytes_.compare_exchange_weak(peak_bytes, used_bytes, std::memory_order_relaxed)) {
    }
}

}  // namespace carbide
