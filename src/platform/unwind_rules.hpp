// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

/// How to get from a function to its caller, by return address. Looked up in .eh_frame once, then
/// cached for all threads, without locks.
namespace carbide::platform {

/// The caller's stack pointer is the CFA (canonical frame address), and except in signal frames
/// the return address lies in front of it.
struct UnwindRule {
    enum class Kind : std::uint8_t {
        none,                  // No call-frame information: the caller may try the frame pointer.
        stack_pointer,         // CFA = stack pointer + cfa_offset
        frame_pointer,         // CFA = frame pointer + cfa_offset
        frame_pointer_loaded,  // CFA = *(frame pointer + cfa_offset), and the caller's frame
                               // pointer is at frame pointer + frame_pointer_offset
        signal,                // The kernel's signal frame.
        end,                   // Nobody called, or there is no telling who did.
    };
    Kind kind = Kind::none;

    std::int64_t cfa_offset = 0;

    /// Where the caller's frame pointer is, from the CFA; 0: in the register.
    std::int64_t frame_pointer_offset = 0;
};

/// A rule and the return address that it is for, in one word, so that no thread sees half of
/// either. The CFA comes out with one shift: each frame of a walk waits for that of the last.
///
///   63     44 43                    11 10                 3 2    0
///   | CFA / 8 | return address >> 14 | frame pointer / 8 | kind |
///
/// The low 14 bits of the address are the place in the cache. 0 is no rule.
class PackedRule {
public:
    static constexpr unsigned place_bits = 14;

    constexpr PackedRule() noexcept = default;
    constexpr explicit PackedRule(std::uint64_t word) noexcept : word_(word) {}

    /// 0 where the rule or the address does not fit.
    static PackedRule pack(std::uintptr_t return_address, const UnwindRule& rule) noexcept;

    static std::size_t place_of(std::uintptr_t return_address) noexcept {
        return return_address & ((std::size_t{1} << place_bits) - 1);
    }

    [[nodiscard]] std::uint64_t word() const noexcept { return word_; }
    [[nodiscard]] bool is_for(std::uintptr_t return_address) const noexcept {
        return (word_ >> tag_shift & tag_mask) == return_address >> place_bits;
    }
    [[nodiscard]] UnwindRule unpack() const noexcept {
        return {.kind = kind(),
                .cfa_offset = cfa_offset(),
                .frame_pointer_offset = frame_pointer_offset()};
    }
    [[nodiscard]] UnwindRule::Kind kind() const noexcept {
        return static_cast<UnwindRule::Kind>(word_ & kind_mask);
    }
    [[nodiscard]] std::int64_t cfa_offset() const noexcept {
        return (static_cast<std::int64_t>(word_) >> cfa_shift) * 8;
    }
    [[nodiscard]] std::int64_t frame_pointer_offset() const noexcept {
        return std::int64_t{static_cast<std::int8_t>(word_ >> saved_shift)} * 8;
    }

private:
    static constexpr std::uint64_t kind_mask = 7;
    static constexpr unsigned saved_shift = 3;
    static constexpr unsigned tag_shift = 11;
    static constexpr unsigned cfa_shift = 44;
    static constexpr std::uint64_t tag_mask = (std::uint64_t{1} << (cfa_shift - tag_shift)) - 1;

    std::uint64_t word_ = 0;
};

namespace detail {
extern constinit std::atomic<std::uint64_t> rule_cache[std::size_t{1} << PackedRule::place_bits];
}

/// What the kernel pushes for a signal handler, from the stack pointer after it has returned.
struct SignalFrame {
    static constexpr std::int64_t frame_pointer_offset = 120;
    static constexpr std::int64_t stack_pointer_offset = 160;
    static constexpr std::int64_t program_counter_offset = 168;
};

/// Forgets the rules of unloaded libraries where `generation` is not the one that the cache holds.
void begin_rule_generation(std::uint32_t generation) noexcept;

/// The rule of the call in front of `return_address`. Reads .eh_frame, and caches what fits.
[[nodiscard, gnu::noinline]] UnwindRule read_unwind_rule(std::uintptr_t return_address) noexcept;

/// Whatever is in its place: ask it whether it is for this address.
[[nodiscard, gnu::always_inline]] inline PackedRule cached_unwind_rule(
    std::uintptr_t return_address) noexcept {
    const std::size_t place = PackedRule::place_of(return_address);
    return PackedRule(detail::rule_cache[place].load(std::memory_order_relaxed));
}

}  // namespace carbide::platform
