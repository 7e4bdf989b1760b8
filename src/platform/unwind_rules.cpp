// SPDX-License-Identifier: MIT
#include "platform/unwind_rules.hpp"

#include "platform/call_frame_program.hpp"
#include "platform/eh_frame.hpp"
#include "platform/frame_expression.hpp"
#include "platform/modules.hpp"

namespace carbide::platform {

constinit std::atomic<std::uint64_t> detail::rule_cache[std::size_t{1} << PackedRule::place_bits] =
    {};

namespace {

using Kind = UnwindRule::Kind;
using Base = FrameExpression::Base;
using Place = SavedRegister::Place;

constexpr std::int64_t return_address_offset = -8;

// The generation that the cache holds rules of.
constinit std::atomic<std::uint32_t> cached_generation = 0;

bool is_place(const SavedRegister& saved, std::uintptr_t address, Base base,
              std::int64_t offset) noexcept {
    FrameExpression place;
    return saved.place == Place::at_expression &&
           evaluate_frame_expression(saved.expression, address, place) && place.base == base &&
           !place.is_loaded && place.offset == offset;
}

// The C library describes what the kernel pushed register by register.
bool is_signal_frame(const CallFrame& frame, const FrameExpression& cfa,
                     std::uintptr_t address) noexcept {
    return cfa.base == Base::stack_pointer && cfa.is_loaded &&
           cfa.offset == SignalFrame::stack_pointer_offset &&
           is_place(frame.return_address, address, Base::stack_pointer,
                    SignalFrame::program_counter_offset) &&
           is_place(frame.frame_pointer, address, Base::stack_pointer,
                    SignalFrame::frame_pointer_offset);
}

bool evaluate_cfa(const CallFrame& frame, std::uintptr_t address, FrameExpression& cfa) noexcept {
    if (frame.cfa_expression.begin != frame.cfa_expression.end) {
        return evaluate_frame_expression(frame.cfa_expression, address, cfa);
    }
    cfa.offset = frame.cfa_offset;
    cfa.base = frame.cfa_register == stack_pointer_register   ? Base::stack_pointer
               : frame.cfa_register == frame_pointer_register ? Base::frame_pointer
                                                              : Base::none;
    return cfa.base != Base::none;
}

UnwindRule rule_of_loaded_cfa(const CallFrame& frame, const FrameExpression& cfa,
                              std::uintptr_t address) noexcept {
    FrameExpression saved;
    if (cfa.base != Base::frame_pointer || frame.frame_pointer.place != Place::at_expression ||
        !evaluate_frame_expression(frame.frame_pointer.expression, address, saved) ||
        saved.base != Base::frame_pointer || saved.is_loaded) {
        return {.kind = Kind::end};
    }
    return {.kind = Kind::frame_pointer_loaded,
            .cfa_offset = cfa.offset,
            .frame_pointer_offset = saved.offset};
}

UnwindRule rule_of(const CallFrame& frame, std::uintptr_t address) noexcept {
    constexpr UnwindRule end{.kind = Kind::end};
    FrameExpression cfa;
    if (!evaluate_cfa(frame, address, cfa)) return end;
    if (is_signal_frame(frame, cfa, address)) return {.kind = Kind::signal};
    if (frame.return_address.place != Place::at_offset ||
        frame.return_address.offset != return_address_offset) {
        return end;
    }
    if (cfa.is_loaded) return rule_of_loaded_cfa(frame, cfa, address);

    const bool is_saved = frame.frame_pointer.place == Place::at_offset;
    if (!is_saved && frame.frame_pointer.place != Place::unchanged &&
        frame.frame_pointer.place != Place::undefined) {
        return end;
    }
    return {.kind = cfa.base == Base::stack_pointer ? Kind::stack_pointer : Kind::frame_pointer,
            .cfa_offset = cfa.offset,
            .frame_pointer_offset = is_saved ? frame.frame_pointer.offset : 0};
}

UnwindRule find_rule(const void* eh_frame_hdr, std::uintptr_t address) noexcept {
    FrameDescription description;
    if (!find_frame_description(eh_frame_hdr, address, description)) return {};
    CallFrame frame;
    if (description.return_address_register != return_address_register ||
        !run_call_frame_program(description, address, frame)) {
        return {.kind = Kind::end};
    }
    return rule_of(frame, address);
}

}  // namespace

PackedRule PackedRule::pack(std::uintptr_t return_address, const UnwindRule& rule) noexcept {
    constexpr std::int64_t cfa_units_max = std::int64_t{1} << (63 - cfa_shift);
    const std::int64_t cfa_units = rule.cfa_offset / 8;
    const std::int64_t saved_units = rule.frame_pointer_offset / 8;
    const bool fits = rule.cfa_offset % 8 == 0 && rule.frame_pointer_offset % 8 == 0 &&
                      cfa_units >= -cfa_units_max && cfa_units < cfa_units_max &&
                      saved_units >= INT8_MIN && saved_units <= INT8_MAX &&
                      return_address >> place_bits <= tag_mask;
    if (!fits) return {};
    return PackedRule(static_cast<std::uint64_t>(cfa_units) << cfa_shift |
                      std::uint64_t{return_address >> place_bits} << tag_shift |
                      std::uint64_t{static_cast<std::uint8_t>(saved_units)} << saved_shift |
                      std::uint64_t{static_cast<std::uint8_t>(rule.kind)});
}

void begin_rule_generation(std::uint32_t generation) noexcept {
    if (cached_generation.load(std::memory_order_relaxed) == generation) [[likely]]
        return;
    cached_generation.store(generation, std::memory_order_relaxed);
    // Rules that another thread adds meanwhile it takes out itself.
    for (auto& word : detail::rule_cache) word.store(0, std::memory_order_relaxed);
}

UnwindRule read_unwind_rule(std::uintptr_t return_address) noexcept {
#ifdef __x86_64__
    const std::uintptr_t address = return_address - 1;
    const LoadedCode code = loaded_code_at(address);
    const std::uint32_t generation = module_generation();
    begin_rule_generation(generation);
    const UnwindRule rule = find_rule(code.eh_frame_hdr, address);
    auto& place = detail::rule_cache[PackedRule::place_of(return_address)];
    // Either this thread sees the new generation, or the thread that clears sees the rule.
    place.store(PackedRule::pack(return_address, rule).word(), std::memory_order_seq_cst);
    if (module_generation() != generation) place.store(0, std::memory_order_relaxed);
    return rule;
#else
    static_cast<void>(return_address);
    return {};
#endif
}

}  // namespace carbide::platform
