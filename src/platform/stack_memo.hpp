// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "platform/stack_bounds.hpp"
#include "platform/stack_point.hpp"

/// Each thread's newest stacks. A walk is a function of the registers that it begins with, the
/// rules of the code, and the words of the stack that it reads; so where none of these has changed
/// since, its result is known, for half a nanosecond a word and without guessing.
namespace carbide::platform {

/// A word of the stack that a walk read, in 8 bytes:
///
///   63      16 15                                      0
///   | content | words from the slot before it, signed |
using StackSlot = std::uint64_t;

struct MemoEntry {
    static constexpr unsigned slot_count_max = 130;

    std::uintptr_t return_address;  // 0: the entry is empty.
    std::uintptr_t stack_pointer;
    std::uintptr_t frame_pointer;
    std::uintptr_t frame_pointer_mask;  // 0 where the walk did not use the frame pointer.
    std::uint64_t limits;
    std::uint32_t trace_id;
    std::uint32_t slot_count;
    StackSlot slots[slot_count_max];

    /// The walk's end, and the generation of the rules.
    static constexpr std::uint64_t limits_of(unsigned frame_count_max,
                                             std::uint32_t generation) noexcept {
        return std::uint64_t{generation} << 32 | frame_count_max;
    }

    [[nodiscard]] bool is_for(const StackPoint& from, std::uint64_t expected) const noexcept {
        return return_address == from.return_address && stack_pointer == from.stack_pointer &&
               limits == expected &&
               ((frame_pointer ^ from.frame_pointer) & frame_pointer_mask) == 0;
    }
};
// An odd number of cache lines, so that the first lines of entries spread over the whole cache.
static_assert(sizeof(MemoEntry) == std::size_t{17} * 64);

/// Notes what a walk depends on, in an entry or nowhere.
class SlotLog {
public:
    explicit SlotLog(MemoEntry* entry, std::uintptr_t stack_pointer) noexcept
        : slots_(entry == nullptr ? nullptr : entry->slots),
          previous_(stack_pointer),
          count_(entry == nullptr ? given_up : 0) {}

    [[gnu::always_inline]] void add(std::uintptr_t address, std::uintptr_t content) noexcept {
        const std::int64_t words = static_cast<std::int64_t>(address - previous_) >> 3;
        const bool fits = content >> 48 == 0 && words == static_cast<std::int16_t>(words);
        if (count_ >= MemoEntry::slot_count_max || !fits) [[unlikely]] {
            count_ = given_up;
            return;
        }
        slots_[count_++] = content << 16 | static_cast<std::uint16_t>(words);
        previous_ = address;
    }
    void add_frame_pointer() noexcept { uses_frame_pointer_ = true; }

    /// For a walk whose result cannot be kept.
    void give_up() noexcept { count_ = given_up; }

    [[nodiscard]] bool is_complete() const noexcept { return count_ != given_up; }
    [[nodiscard]] bool uses_frame_pointer() const noexcept { return uses_frame_pointer_; }
    [[nodiscard]] unsigned count() const noexcept { return count_; }

private:
    static constexpr unsigned given_up = UINT32_MAX;

    StackSlot* slots_;
    std::uintptr_t previous_;
    unsigned count_;
    bool uses_frame_pointer_ = false;
};

struct ThreadMemo {
    static constexpr unsigned entry_count_log2 = 6;
    static constexpr unsigned entry_count = 1U << entry_count_log2;

    /// A capture works with the rest. A signal handler that sees that leaves it alone.
    std::atomic<bool> is_used;

    OwnStack own_stack;
    ThreadMemo* next_free;
    alignas(64) MemoEntry entries[entry_count];

    [[nodiscard]] MemoEntry& entry_of(const StackPoint& from) noexcept {
        constexpr std::uint64_t odd = 0x9e3779b97f4a7c15;
        return entries[((from.return_address ^ from.stack_pointer) * odd) >>
                       (64 - entry_count_log2)];
    }
};

namespace detail {
extern constinit thread_local ThreadMemo* thread_memo [[gnu::tls_model("initial-exec")]];
}

/// The running thread's; null where it has none and gets none. It goes to another thread after
/// this one has ended.
[[nodiscard]] ThreadMemo* obtain_thread_memo() noexcept;

}  // namespace carbide::platform
