// SPDX-License-Identifier: MIT
#include "document/key_table.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include "carbide/check.hpp"
#include "carbide/try.hpp"

namespace json {

bool is_more_frequent(const KeyCount& left, const KeyCount& right) noexcept {
    return left.count != right.count ? left.count > right.count : left.key < right.key;
}

carbide::Result<void> KeyTable::add_member(const Value& member) noexcept {
    if (4 * key_count_ >= 3 * slots_.size()) CARBIDE_TRY(grow());
    const std::size_t hash = std::hash<std::string_view>{}(member.key);
    Slot& slot = find(member.key, hash);
    if (slot.counted.count == 0) {
        slot = {{member.key, 0}, hash, nullptr};
        ++key_count_;
    }
    ++slot.counted.count;
    // The members of an object come together, so the object before tells of a repetition.
    if (slot.last_object == member.parent) ++duplicate_count_;
    slot.last_object = member.parent;
    return {};
}

carbide::Result<std::span<KeyCount>> KeyTable::sorted(carbide::Allocator arena) const noexcept {
    const std::span<KeyCount> keys = CARBIDE_TRY(arena.alloc<KeyCount>(key_count_));
    std::size_t taken = 0;
    for (const Slot& slot : slots_) {
        if (slot.counted.count != 0) keys[taken++] = slot.counted;
    }
    CARBIDE_ASSERT(taken == key_count_);
    std::sort(keys.begin(), keys.end(), is_more_frequent);
    return keys;
}

// The slot of the key, or the free one where it belongs. There is always a free one.
KeyTable::Slot& KeyTable::find(std::string_view key, std::size_t hash) const noexcept {
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t i = hash & mask;; i = (i + 1) & mask) {
        Slot& slot = slots_[i];
        if (slot.counted.count == 0) return slot;
        if (slot.hash == hash && slot.counted.key == key) return slot;
    }
}

carbide::Result<void> KeyTable::grow() noexcept {
    constexpr std::size_t slot_count_min = 32;
    const std::size_t slot_count = std::max(slot_count_min, 2 * slots_.size());
    carbide::OwnedSlice<Slot> old =
        CARBIDE_TRY(carbide::make_owned_slice_zeroed<Slot>(slots_.allocator(), slot_count));
    old.swap(slots_);
    for (const Slot& slot : old) {
        if (slot.counted.count != 0) find(slot.counted.key, slot.hash) = slot;
    }
    return {};
}

}  // namespace json
