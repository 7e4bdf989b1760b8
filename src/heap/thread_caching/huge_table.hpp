// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>

#include "carbide/allocator.hpp"
#include "platform/lock.hpp"

namespace carbide::caching {

/// Which allocations have mappings of their own: a hash table with linear probing, at most half
/// full. It exists for `size_of`, `owns` and statistics, and so that `hardened` can verify frees.
///
/// Any thread may call. The lock is never held while the backing is called.
class HugeTable {
public:
    struct Entry {
        std::uintptr_t address = 0;  // 0: free.
        std::size_t size_bytes = 0;
        std::align_val_t alignment{1};
    };

    explicit HugeTable(Allocator backing) noexcept : backing_(backing) {}

    /// Makes room for one more, so that the next `insert` succeeds. False: out of memory.
    [[nodiscard]] bool reserve() noexcept;
    /// Gives up room that was reserved.
    void unreserve() noexcept;
    void insert(const Entry& entry) noexcept;

    /// Removes the entry and leaves its room reserved. Its address is 0 where there is none, and
    /// nothing changes. Remove before the memory is given back: the next mapping may be there.
    [[nodiscard]] Entry take_out(std::uintptr_t address) noexcept;
    void update(std::uintptr_t address, std::size_t size_bytes) noexcept;

    [[nodiscard]] Entry find(std::uintptr_t address) noexcept;
    /// The one that holds this address. Linear.
    [[nodiscard]] Entry find_around(std::uintptr_t address) noexcept;

    /// Calls `visit(entry)` for each, under the lock.
    template <class Visit>
    void visit(Visit visit) noexcept {
        lock_.lock();
        for (std::size_t i = 0; i < capacity_; ++i) {
            if (entries_[i].address != 0) visit(entries_[i]);
        }
        lock_.unlock();
    }

    [[nodiscard]] std::size_t table_bytes() noexcept {
        lock_.lock();
        const std::size_t size_bytes = capacity_ * sizeof(Entry);
        lock_.unlock();
        return size_bytes;
    }

    /// Gives all allocations and the table back.
    void deinit() noexcept;

    /// For fork.
    void lock() noexcept { lock_.lock(); }
    void unlock() noexcept { lock_.unlock(); }

private:
    [[nodiscard]] std::size_t place_of(std::uintptr_t address) const noexcept;

    Allocator backing_;
    platform::Lock lock_;
    Entry* entries_ = nullptr;
    std::size_t capacity_ = 0;  // A power of two, or 0.
    std::size_t count_ = 0;     // Entries, and those that are reserved.
};

}  // namespace carbide::caching
