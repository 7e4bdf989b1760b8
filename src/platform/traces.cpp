// SPDX-License-Identifier: MIT
#include "platform/traces.hpp"

#include <algorithm>
#include <cerrno>
#include <span>

#include "platform/modules.hpp"
#include "platform/stack_memo.hpp"
#include "platform/stack_walk.hpp"
#include "platform/trace_store.hpp"
#include "platform/unwind_rules.hpp"

namespace carbide::platform {
namespace {

// Reads in the order of the walk and stops at the first change: up to there the frames are those
// that were walked, so that the next word belongs to the stack as well.
bool is_unchanged(const MemoEntry& entry) noexcept {
    std::uintptr_t address = entry.stack_pointer;
    for (const StackSlot slot : std::span(entry.slots, entry.slot_count)) {
        address += static_cast<std::uintptr_t>(std::int64_t{static_cast<std::int16_t>(slot)} * 8);
        if (read_word(address) != slot >> 16) return false;
    }
    return true;
}

void keep(const StackPoint& from, const WalkedStack& stack, std::uint64_t limits, std::uint32_t id,
          MemoEntry& entry) noexcept {
    entry.stack_pointer = from.stack_pointer;
    entry.frame_pointer = from.frame_pointer;
    entry.frame_pointer_mask = stack.uses_frame_pointer ? UINTPTR_MAX : 0;
    entry.limits = limits;
    entry.trace_id = id;
    entry.slot_count = stack.slot_count;
    entry.return_address = from.return_address;
}

// False: a library was replaced meanwhile, whose rules may have been used.
bool try_to_walk(const StackPoint& from, unsigned frame_count_max, OwnStack& own, MemoEntry* entry,
                 std::uint32_t& id) noexcept {
    const std::uint32_t generation = module_generation();
    begin_rule_generation(generation);
    if (entry != nullptr) entry->return_address = 0;
    WalkedStack stack;
    walk_stack(from, std::min(frame_count_max, StackTrace::frame_count_max), own, entry, stack);
    id = intern(stack);
    if (module_generation() != generation) return false;
    if (id != 0 && stack.can_be_remembered) {
        keep(from, stack, MemoEntry::limits_of(frame_count_max, generation), id, *entry);
    }
    return true;
}

[[gnu::noinline]] StackTrace walk(const StackPoint& from, unsigned frame_count_max, OwnStack& own,
                                  MemoEntry* entry) noexcept {
    constexpr unsigned attempt_count_max = 4;
    if (frame_count_max == 0) return {};
    const int kept_errno = errno;
    std::uint32_t id = 0;
    for (unsigned i = 0; i < attempt_count_max; ++i) {
        if (try_to_walk(from, frame_count_max, own, entry, id)) break;
    }
    errno = kept_errno;
    return StackTrace::from_id(id);
}

// One use at a time. A signal handler that interrupts it does without; if it never returns, so
// does the thread from then on.
class MemoUse {
public:
    explicit MemoUse(ThreadMemo& memo) noexcept : memo_(memo) {
        memo.is_used.store(true, std::memory_order_relaxed);
        std::atomic_signal_fence(std::memory_order_acq_rel);
    }
    ~MemoUse() {
        std::atomic_signal_fence(std::memory_order_acq_rel);
        memo_.is_used.store(false, std::memory_order_relaxed);
    }
    MemoUse(const MemoUse&) = delete;
    MemoUse& operator=(const MemoUse&) = delete;

private:
    ThreadMemo& memo_;
};

[[gnu::always_inline]] inline StackTrace capture_with(ThreadMemo& memo, const StackPoint& from,
                                                      unsigned frame_count_max) noexcept {
    const MemoUse use(memo);
    MemoEntry& entry = memo.entry_of(from);
    const std::uint64_t limits = MemoEntry::limits_of(frame_count_max, module_generation());
    if (entry.is_for(from, limits) && is_unchanged(entry)) [[likely]] {
        return StackTrace::from_id(entry.trace_id);
    }
    return walk(from, frame_count_max, memo.own_stack, &entry);
}

[[gnu::noinline]] StackTrace capture_without_memo(const StackPoint& from,
                                                  unsigned frame_count_max) noexcept {
    const int kept_errno = errno;
    ThreadMemo* const memo = obtain_thread_memo();
    errno = kept_errno;
    if (memo != nullptr && !memo->is_used.load(std::memory_order_relaxed)) {
        return capture_with(*memo, from, frame_count_max);
    }
    OwnStack own;
    return walk(from, frame_count_max, own, nullptr);
}

}  // namespace

StackTrace capture_trace(const StackPoint& from, unsigned frame_count_max) noexcept {
    ThreadMemo* const memo = detail::thread_memo;
    if (memo == nullptr || memo->is_used.load(std::memory_order_relaxed)) [[unlikely]] {
        return capture_without_memo(from, frame_count_max);
    }
    return capture_with(*memo, from, frame_count_max);
}

}  // namespace carbide::platform
