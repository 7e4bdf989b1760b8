// SPDX-License-Identifier: MIT
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-tree-slp-vectorize")  // See `Walk`.
#endif

#include "platform/stack_walk.hpp"

#include <bit>

#include "platform/unwind_rules.hpp"

namespace carbide::platform {
namespace {

// Where its functions are not inlined it goes in and out by value. So nobody holds its address,
// the compiler keeps it in registers, and a walk takes half the time. Without the pragma below
// g++ 12 would carry pairs of members in vector registers, for two moves more a frame.
class Walk {
public:
    Walk(const StackPoint& from, OwnStack& own, MemoEntry* entry) noexcept
        : readable_(ReadableStack::from(from.stack_pointer, own)),
          log_(entry, from.stack_pointer),
          return_address_(from.return_address),
          stack_pointer_(from.stack_pointer),
          frame_pointer_(from.frame_pointer) {}

    enum class Step : std::uint8_t { to_caller, end, hard };

    /// To the caller, where a cached rule of the two common kinds leads to it and the stack is
    /// known so far. Hard: nothing has changed, but that the frame pointer may be known now.
    [[gnu::always_inline]] Step step_easily() noexcept {
        const PackedRule rule = cached_unwind_rule(return_address_);
        if (!rule.is_for(return_address_)) [[unlikely]]
            return Step::hard;
        std::uintptr_t cfa = static_cast<std::uintptr_t>(rule.cfa_offset());
        if (rule.kind() == Kind::stack_pointer) [[likely]] {
            cfa += stack_pointer_;
        } else if (rule.kind() == Kind::frame_pointer) {
            cfa += frame_pointer();
        } else {
            return rule.kind() == Kind::end ? Step::end : Step::hard;
        }
        if (!readable_.is_known(cfa - word_bytes)) [[unlikely]]
            return Step::hard;
        const auto saved_offset = static_cast<std::uintptr_t>(rule.frame_pointer_offset());
        return leave_readable_frame(cfa, saved_offset == 0 ? 0 : cfa + saved_offset)
                   ? Step::to_caller
                   : Step::end;
    }

    /// To the caller. An end: this was the outermost function, or nothing is known of its caller.
    struct Stepped;
    [[gnu::noinline]] static Stepped stepped(Walk walk, OwnStack& own) noexcept;

    [[nodiscard]] std::uintptr_t return_address() const noexcept { return return_address_; }
    [[nodiscard]] const SlotLog& log() const noexcept { return log_; }

private:
    using Kind = UnwindRule::Kind;

    static constexpr std::uintptr_t word_bytes = sizeof(std::uintptr_t);
    static constexpr std::uintptr_t smallest_stack_pointer = 4096;

    bool step_by(const UnwindRule& rule, OwnStack& own) noexcept {
        const auto cfa_offset = static_cast<std::uintptr_t>(rule.cfa_offset);
        switch (rule.kind) {
            case Kind::none:
                return guess_by_frame_pointer();
            case Kind::stack_pointer:
                return leave_frame(stack_pointer_ + cfa_offset, rule);
            case Kind::frame_pointer:
                return leave_frame(frame_pointer() + cfa_offset, rule);
            case Kind::frame_pointer_loaded:
                return step_by_loaded(rule);
            case Kind::signal:
                return leave_signal_frame(own);
            case Kind::end:
                return false;
        }
        return false;
    }

    bool leave_frame(std::uintptr_t cfa, const UnwindRule& rule) noexcept {
        const auto saved_offset = static_cast<std::uintptr_t>(rule.frame_pointer_offset);
        return leave_frame(cfa, saved_offset == 0 ? 0 : cfa + saved_offset);
    }

    // Code that aligns its stack keeps what it was called with in front of its frame pointer.
    bool step_by_loaded(const UnwindRule& rule) noexcept {
        const std::uintptr_t frame = frame_pointer();
        const std::uintptr_t place = frame + static_cast<std::uintptr_t>(rule.cfa_offset);
        if (!can_read(place)) return false;
        return leave_frame(read(place),
                           frame + static_cast<std::uintptr_t>(rule.frame_pointer_offset));
    }

    // For generated code and assembly that says nothing about itself. Frames may be missed, but
    // what is found was called by what is found next.
    bool guess_by_frame_pointer() noexcept {
        const std::uintptr_t frame = frame_pointer();
        if (!can_read(frame) || frame > UINTPTR_MAX - 2 * word_bytes) return false;
        if (!readable_.is_own()) log_.give_up();  // Another stack here might be shorter.
        return leave_frame(frame + 2 * word_bytes, frame);
    }

    bool leave_signal_frame(OwnStack& own) noexcept {
        const std::uintptr_t frame = stack_pointer_;
        const std::uintptr_t last =
            frame + static_cast<std::uintptr_t>(SignalFrame::program_counter_offset);
        if (last < frame || !can_read(last)) return false;
        const std::uintptr_t interrupted = read(last);
        stack_pointer_ = read(last - word_bytes);
        frame_pointer_slot_ =
            frame + static_cast<std::uintptr_t>(SignalFrame::frame_pointer_offset);
        static_assert(SignalFrame::program_counter_offset - SignalFrame::stack_pointer_offset ==
                      word_bytes);
        // Now on the stack that was interrupted, which may be another one, at a lower address.
        frame_pointer_ = frame_pointer();
        if (stack_pointer_ < smallest_stack_pointer) return false;
        readable_ = ReadableStack::from(stack_pointer_, own);
        return_address_ = interrupted + 1;
        return is_code_address(return_address_);
    }

    bool leave_frame(std::uintptr_t cfa, std::uintptr_t frame_pointer_slot) noexcept {
        return can_read(cfa - word_bytes) && leave_readable_frame(cfa, frame_pointer_slot);
    }

    // A frame is not empty, and all of it can be read where its end can.
    [[gnu::always_inline]] bool leave_readable_frame(std::uintptr_t cfa,
                                                     std::uintptr_t frame_pointer_slot) noexcept {
        const std::uintptr_t return_slot = cfa - word_bytes;
        if (return_slot < stack_pointer_ || return_slot % word_bytes != 0) return false;
        if (frame_pointer_slot >= return_slot) return false;
        // Below the stack pointer it has been popped: a signal interrupted the function's end.
        if (frame_pointer_slot >= stack_pointer_) frame_pointer_slot_ = frame_pointer_slot;
        return_address_ = read(return_slot);
        stack_pointer_ = cfa;
        return is_code_address(return_address_);
    }

    // Not 0, which ends a chain of frame pointers, and not what a stored trace has no room for.
    static bool is_code_address(std::uintptr_t address) noexcept {
        return address - 1 < (std::uintptr_t{1} << 48) - 1;
    }

    [[nodiscard]] bool can_read(std::uintptr_t address) noexcept {
        return address >= stack_pointer_ && address % word_bytes == 0 &&
               readable_.can_read(address);
    }

    [[gnu::always_inline]] std::uintptr_t read(std::uintptr_t address) noexcept {
        const std::uintptr_t content = read_word(address);
        log_.add(address, content);
        return content;
    }

    // Read only where it is needed: most functions save a frame pointer that is none, and reading
    // it would make the result depend on it.
    [[gnu::always_inline]] std::uintptr_t frame_pointer() noexcept {
        if (frame_pointer_slot_ != 0) {
            frame_pointer_ = read(frame_pointer_slot_);
            frame_pointer_slot_ = 0;
            is_first_frame_pointer_ = false;
        }
        if (is_first_frame_pointer_) log_.add_frame_pointer();
        return frame_pointer_;
    }

    ReadableStack readable_;
    SlotLog log_;
    std::uintptr_t return_address_;
    std::uintptr_t stack_pointer_;
    std::uintptr_t frame_pointer_;
    std::uintptr_t frame_pointer_slot_ = 0;  // Where it has to be read from; 0: it is known.
    bool is_first_frame_pointer_ = true;     // It came with the point of departure.
};

struct Walk::Stepped {
    Walk walk;
    bool has_caller;
};

Walk::Stepped Walk::stepped(Walk walk, OwnStack& own) noexcept {
    const PackedRule cached = cached_unwind_rule(walk.return_address_);
    const UnwindRule rule = cached.is_for(walk.return_address_)
                                ? cached.unpack()
                                : read_unwind_rule(walk.return_address_);
    const bool has_caller = walk.step_by(rule, own);
    return {walk, has_caller};
}

}  // namespace

void walk_stack(const StackPoint& from, unsigned frame_count_max, OwnStack& own, MemoEntry* entry,
                WalkedStack& stack) noexcept {
    constexpr std::uint64_t odd = 0x9e3779b97f4a7c15;
    Walk walk(from, own, entry);
    std::uint64_t hash = 0;
    unsigned count = 0;
    bool has_caller = true;
    while (has_caller && count < frame_count_max) {
        const std::uintptr_t return_address = walk.return_address();
        stack.return_addresses[count++] = return_address;
        hash = (std::rotl(hash, 5) ^ return_address) * odd;
        if (count == frame_count_max) break;
        const Walk::Step step = walk.step_easily();
        has_caller = step == Walk::Step::to_caller;
        if (step == Walk::Step::hard) [[unlikely]] {
            const Walk::Stepped result = Walk::stepped(walk, own);
            walk = result.walk;
            has_caller = result.has_caller;
        }
    }
    stack.frame_count = count;
    stack.hash = static_cast<std::uint32_t>(hash >> 32);
    stack.can_be_remembered = walk.log().is_complete();
    stack.uses_frame_pointer = walk.log().uses_frame_pointer();
    stack.slot_count = walk.log().count();
}

}  // namespace carbide::platform
