// SPDX-License-Identifier: MIT
#include "carbide/statistics_allocator.hpp"

#include <algorithm>

#include "carbide/check.hpp"

// What `statistics()` promises of its numbers rests on an order: whoever lends adds to the total
// and then to the current bytes, to `alloc_count_` and then to `live_count_`. The second of each
// pair is released, and read first and acquired by `statistics()`, which so sees the first.

namespace carbide {
namespace {

void count(std::atomic<std::size_t>& counter) noexcept {
    counter.fetch_add(1, std::memory_order_relaxed);
}

std::size_t load(const std::atomic<std::size_t>& counter) noexcept {
    return counter.load(std::memory_order_relaxed);
}

}  // namespace

StatisticsAllocator::StatisticsAllocator(const Options& options) noexcept
    : HeapOperations(options.name, Sharing::shared), backing_(options.backing) {}

void* StatisticsAllocator::slow_alloc(Heap& heap, std::size_t size_bytes,
                                      std::align_val_t alignment) noexcept {
    StatisticsAllocator& statistics = self(heap);
    void* const memory = statistics.backing_.raw_alloc(size_bytes, alignment);
    statistics.count_alloc(memory != nullptr, size_bytes);
    return memory;
}

bool StatisticsAllocator::slow_resize(Heap& heap, void* memory, std::size_t old_bytes,
                                      std::size_t new_bytes, std::align_val_t alignment) noexcept {
    StatisticsAllocator& statistics = self(heap);
    const bool resized = statistics.backing_.raw_resize(memory, old_bytes, new_bytes, alignment);
    statistics.count_resize(resized, old_bytes, new_bytes);
    return resized;
}

void* StatisticsAllocator::slow_remap(Heap& heap, void* memory, std::size_t old_bytes,
                                      std::size_t new_bytes, std::align_val_t alignment) noexcept {
    StatisticsAllocator& statistics = self(heap);
    void* const moved = statistics.backing_.raw_remap(memory, old_bytes, new_bytes, alignment);
    statistics.count_resize(moved != nullptr, old_bytes, new_bytes);
    return moved;
}

void StatisticsAllocator::slow_free(Heap& heap, void* memory, std::size_t size_bytes,
                                    std::align_val_t alignment) noexcept {
    StatisticsAllocator& statistics = self(heap);
    // Before the call: afterwards another thread may count the same bytes again, and the peak
    // would be one that never was.
    statistics.take_back(size_bytes);
    statistics.live_count_.fetch_sub(1, std::memory_order_relaxed);
    statistics.backing_.raw_free(memory, size_bytes, alignment);
}

Statistics StatisticsAllocator::statistics() const noexcept {
    Statistics snapshot;
    const std::size_t alive = live_count_.load(std::memory_order_acquire);
    snapshot.alloc_count = load(alloc_count_);
    snapshot.free_count = snapshot.alloc_count - alive;
    snapshot.resize_count = load(resize_count_);
    snapshot.failed_alloc_count = load(failed_alloc_count_);
    snapshot.failed_resize_count = load(failed_resize_count_);
    snapshot.current_bytes = current_bytes_.load(std::memory_order_acquire);
    snapshot.total_bytes = load(total_bytes_);
    // A thread that has just raised `current_bytes_` may not have come to the peak yet.
    snapshot.peak_bytes = std::max(load(peak_bytes_), snapshot.current_bytes);
    std::transform(histogram_.begin(), histogram_.end(), snapshot.histogram.begin(), load);
    return snapshot;
}

void StatisticsAllocator::reset_peak() noexcept {
    peak_bytes_.store(load(current_bytes_), std::memory_order_relaxed);
}

void StatisticsAllocator::count_alloc(bool success, std::size_t size_bytes) noexcept {
    if (!success) {
        count(failed_alloc_count_);
        return;
    }
    count(alloc_count_);
    live_count_.fetch_add(1, std::memory_order_release);
    count(histogram_[Statistics::bucket_of(size_bytes)]);
    lend(size_bytes);
}

void StatisticsAllocator::count_resize(bool success, std::size_t old_bytes,
                                       std::size_t new_bytes) noexcept {
    if (!success) {
        count(failed_resize_count_);
        return;
    }
    count(resize_count_);
    if (new_bytes > old_bytes) {
        lend(new_bytes - old_bytes);
    } else {
        take_back(old_bytes - new_bytes);
    }
}

void StatisticsAllocator::lend(std::size_t size_bytes) noexcept {
    total_bytes_.fetch_add(size_bytes, std::memory_order_relaxed);
    const std::size_t current_bytes =
        current_bytes_.fetch_add(size_bytes, std::memory_order_release) + size_bytes;
    std::size_t peak_bytes = load(peak_bytes_);
    while (
        peak_bytes < current_bytes &&
        !peak_bytes_.compare_exchange_weak(peak_bytes, current_bytes, std::memory_order_relaxed)) {
    }
}

void StatisticsAllocator::take_back(std::size_t size_bytes) noexcept {
    const std::size_t current_bytes =
        current_bytes_.fetch_sub(size_bytes, std::memory_order_relaxed);
    CARBIDE_CHECK(size_bytes <= current_bytes,
                  "more bytes were freed through a StatisticsAllocator than it had lent out");
}

}  // namespace carbide
