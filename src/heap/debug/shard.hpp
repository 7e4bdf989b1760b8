// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "heap/debug/quarantine.hpp"
#include "heap/debug/size_classes.hpp"
#include "heap/debug/span.hpp"
#include "platform/lock.hpp"

namespace carbide::detail {

/// The spans of one size class that have room.
struct Bin {
    /// The one used last: its newest free slot is likely to be in the cache.
    Span* hot = nullptr;
    Span* partial = nullptr;
};

/// A part of the allocator that one thread at a time works in. Threads are spread over the shards;
/// a block goes back to the shard that it came from.
struct alignas(64) Shard {
    platform::Lock lock;
    bool was_used = false;

    // Requested bytes. `total` counts what was ever lent.
    std::int64_t live_bytes = 0;
    std::int64_t live_count = 0;
    std::int64_t peak_bytes = 0;
    std::int64_t peak_count = 0;
    std::uint64_t total_bytes = 0;
    std::uint64_t total_count = 0;
    std::int64_t unflushed_bytes = 0;  // Not yet in the sums over all shards.
    std::int64_t unflushed_count = 0;

    Span* spans = nullptr;  // All of them.
    Quarantine quarantine;
    Bin bins[size_class_count];

    void insert_partial(Span& span) noexcept {
        Bin& bin = bins[span.size_class];
        span.partial_previous = nullptr;
        span.partial_next = bin.partial;
        if (bin.partial != nullptr) bin.partial->partial_previous = &span;
        bin.partial = &span;
        span.is_partial = true;
    }
    void remove_partial(Span& span) noexcept {
        Bin& bin = bins[span.size_class];
        if (span.partial_next != nullptr) {
            span.partial_next->partial_previous = span.partial_previous;
        }
        (span.partial_previous != nullptr ? span.partial_previous->partial_next : bin.partial) =
            span.partial_next;
        span.is_partial = false;
    }

    void link(Span& span) noexcept {
        span.previous = nullptr;
        span.next = spans;
        if (spans != nullptr) spans->previous = &span;
        spans = &span;
    }
    void unlink(Span& span) noexcept {
        if (span.next != nullptr) span.next->previous = span.previous;
        (span.previous != nullptr ? span.previous->next : spans) = span.next;
        span.next = span.previous = nullptr;
    }
};

/// Holds the lock of a shard, where locks are needed at all.
class ShardGuard {
public:
    ShardGuard(Shard& shard, bool is_locking) noexcept : lock_(is_locking ? &shard.lock : nullptr) {
        if (lock_ != nullptr) lock_->lock();
    }
    ~ShardGuard() {
        if (lock_ != nullptr) lock_->unlock();
    }
    ShardGuard(const ShardGuard&) = delete;
    ShardGuard& operator=(const ShardGuard&) = delete;

private:
    platform::Lock* lock_;
};

}  // namespace carbide::detail
