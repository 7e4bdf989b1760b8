// SPDX-License-Identifier: MIT
#include "heap/thread_caching/huge_table.hpp"

#include <mutex>
#include <span>
#include <utility>

namespace carbide::caching {

// Where the address is, or the free place where it would be.
std::size_t HugeTable::place_of(std::uintptr_t address) const noexcept {
    const std::size_t mask = capacity_ - 1;
    std::size_t place = ((address >> 12) * 0x9E3779B97F4A7C15U >> 20) & mask;
    while (entries_[place].address != 0 && entries_[place].address != address) {
        place = (place + 1) & mask;
    }
    return place;
}

bool HugeTable::reserve() noexcept {
    std::span<Entry> larger;
    std::span<Entry> unused;
    for (;;) {
        std::size_t wanted = 0;
        {
            const std::lock_guard guard(lock_);
            if (larger.size() > capacity_ && count_ * 2 >= capacity_) {
                const std::span old(entries_, capacity_);
                entries_ = larger.data();
                capacity_ = larger.size();
                for (const Entry& entry : old) {
                    if (entry.address != 0) entries_[place_of(entry.address)] = entry;
                }
                larger = old;
            }
            if (count_ * 2 < capacity_) {
                ++count_;
                unused = std::exchange(larger, {});
                break;
            }
            wanted = capacity_ == 0 ? 64 : capacity_ * 2;
        }
        if (!larger.empty()) backing_.free(larger);
        const Result<std::span<Entry>> made = backing_.alloc<Entry>(wanted);
        if (!made.has_value()) return false;
        larger = *made;
        for (Entry& entry : larger) entry = {};
    }
    if (!unused.empty()) backing_.free(unused);
    return true;
}

void HugeTable::unreserve() noexcept {
    const std::lock_guard guard(lock_);
    --count_;
}

void HugeTable::insert(const Entry& entry) noexcept {
    const std::lock_guard guard(lock_);
    entries_[place_of(entry.address)] = entry;
}

HugeTable::Entry HugeTable::take_out(std::uintptr_t address) noexcept {
    const std::lock_guard guard(lock_);
    if (capacity_ == 0) return {};
    std::size_t place = place_of(address);
    const Entry erased = std::exchange(entries_[place], {});
    if (erased.address == 0) return {};
    // Those behind it may have been put there only because this place was taken.
    const std::size_t mask = capacity_ - 1;
    for (place = (place + 1) & mask; entries_[place].address != 0; place = (place + 1) & mask) {
        const Entry moved = std::exchange(entries_[place], {});
        entries_[place_of(moved.address)] = moved;
    }
    return erased;
}

void HugeTable::update(std::uintptr_t address, std::size_t size_bytes) noexcept {
    const std::lock_guard guard(lock_);
    entries_[place_of(address)].size_bytes = size_bytes;
}

HugeTable::Entry HugeTable::find(std::uintptr_t address) noexcept {
    const std::lock_guard guard(lock_);
    return capacity_ == 0 ? Entry{} : entries_[place_of(address)];
}

HugeTable::Entry HugeTable::find_around(std::uintptr_t address) noexcept {
    Entry found;
    visit([&](const Entry& entry) {
        if (address - entry.address < entry.size_bytes) found = entry;
    });
    return found;
}

void HugeTable::deinit() noexcept {
    for (std::size_t i = 0; i < capacity_; ++i) {
        const Entry& entry = entries_[i];
        if (entry.address == 0) continue;
        backing_.raw_free(reinterpret_cast<void*>(entry.address), entry.size_bytes,
                          entry.alignment);
    }
    backing_.free(std::span(entries_, capacity_));
    entries_ = nullptr;
    capacity_ = count_ = 0;
}

}  // namespace carbide::caching
