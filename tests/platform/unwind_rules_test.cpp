// SPDX-License-Identifier: MIT
#include "platform/unwind_rules.hpp"

#include <doctest/doctest.h>

#include <initializer_list>

#include "platform/frame_expression.hpp"

#ifdef __x86_64__

using namespace carbide::platform;
using Kind = UnwindRule::Kind;

namespace {

void check_same(const UnwindRule& found, const UnwindRule& expected) {
    CHECK(found.kind == expected.kind);
    CHECK(found.cfa_offset == expected.cfa_offset);
    CHECK(found.frame_pointer_offset == expected.frame_pointer_offset);
}

// Read twice: the second time the cache knows it, where it fits.
void check_rule(const char* place, const UnwindRule& expected) {
    const std::uintptr_t return_address = reinterpret_cast<std::uintptr_t>(place) + 1;
    CAPTURE(return_address);
    check_same(read_unwind_rule(return_address), expected);
    const PackedRule cached = cached_unwind_rule(return_address);
    if (cached.is_for(return_address)) check_same(cached.unpack(), expected);
}

}  // namespace

// What is described need not be what the code does: nobody runs it.
extern "C" const char carbide_test_rules[];

asm(R"(
    .pushsection .text
    .type carbide_test_rules, @function
carbide_test_rules:
    .cfi_startproc
    nop                                         # 0: as after the call
    .cfi_def_cfa_offset 16
    .cfi_offset %rbp, -16
    nop                                         # 1: pushed
    .cfi_def_cfa_register %rbp
    nop                                         # 2: the frame pointer is set
    .cfi_remember_state
    .cfi_def_cfa %rsp, 8
    .cfi_restore %rbp
    nop                                         # 3: popped
    .cfi_restore_state
    nop                                         # 4: as 2
    .cfi_def_cfa %rsp, 8
    .cfi_same_value %rbp
    .cfi_adjust_cfa_offset 4194000
    nop                                         # 5: a large frame
    .cfi_def_cfa_offset 8388608
    nop                                         # 6: too large for the cache
    .cfi_escape 0x0f, 3, 0x76, 0x78, 0x06       # *(rbp - 8)
    .cfi_escape 0x10, 0x06, 2, 0x76, 0x00       # rbp is at rbp
    nop                                         # 7: an aligned frame
    .cfi_def_cfa %rbx, 16
    nop                                         # 8: in a register that nobody follows
    .cfi_def_cfa %rsp, 24
    .cfi_offset %rbp, -24
    .cfi_escape 0x2e, 0x10                      # GNU_args_size
    nop                                         # 9: arguments pushed
    .cfi_undefined %rip
    nop                                         # 10: the first function of a thread
    .cfi_restore %rip
    nop                                         # 11: as 9
    .cfi_escape 0x0f, 4, 0x77, 0x08, 0x1f, 0x06 # operation 0x1f is negation
    nop                                         # 12: an expression that is not understood
    .cfi_endproc
    .size carbide_test_rules, . - carbide_test_rules

    # Between two functions, known to neither.
    nop
    nop
    .popsection
)");

TEST_CASE("unwind rules: follow the call-frame program instruction by instruction") {
    const char* const at = carbide_test_rules;
    const UnwindRule framed{
        .kind = Kind::frame_pointer, .cfa_offset = 16, .frame_pointer_offset = -16};
    check_rule(at, {.kind = Kind::stack_pointer, .cfa_offset = 8});
    check_rule(at + 1,
               {.kind = Kind::stack_pointer, .cfa_offset = 16, .frame_pointer_offset = -16});
    check_rule(at + 2, framed);
    check_rule(at + 3, {.kind = Kind::stack_pointer, .cfa_offset = 8});
    check_rule(at + 4, framed);
    const UnwindRule pushed{
        .kind = Kind::stack_pointer, .cfa_offset = 24, .frame_pointer_offset = -24};
    check_rule(at + 9, pushed);
    check_rule(at + 11, pushed);
}

TEST_CASE("unwind rules: a frame too large for the cache is read every time") {
    check_rule(carbide_test_rules + 5, {.kind = Kind::stack_pointer, .cfa_offset = 4194008});
    check_rule(carbide_test_rules + 6, {.kind = Kind::stack_pointer, .cfa_offset = 8388608});
    const auto cached = [](const char* place) {
        const std::uintptr_t return_address = reinterpret_cast<std::uintptr_t>(place) + 1;
        return cached_unwind_rule(return_address).is_for(return_address);
    };
    CHECK(cached(carbide_test_rules + 5));
    CHECK_FALSE(cached(carbide_test_rules + 6));
}

TEST_CASE("unwind rules: an aligned frame keeps its callers in front of the frame pointer") {
    check_rule(carbide_test_rules + 7, {.kind = Kind::frame_pointer_loaded, .cfa_offset = -8});
}

TEST_CASE("unwind rules: what is not understood ends a walk") {
    check_rule(carbide_test_rules + 8, {.kind = Kind::end});
    check_rule(carbide_test_rules + 10, {.kind = Kind::end});
    check_rule(carbide_test_rules + 12, {.kind = Kind::end});
}

TEST_CASE("unwind rules: there are none where no function is described") {
    check_rule(carbide_test_rules + 13, {.kind = Kind::none});
    static const char data[64] = {};
    check_rule(data, {.kind = Kind::none});
    check_rule(reinterpret_cast<const char*>(std::uintptr_t{4096}), {.kind = Kind::none});
    check_rule(reinterpret_cast<const char*>(UINTPTR_MAX - 1), {.kind = Kind::none});
}

TEST_CASE("unwind rules: a linker's stub is known at each of its instructions") {
    // The form of x86-64 linkers: 8 more from the eleventh byte of 16 on.
    const std::uint8_t program[] = {0x77, 8, 0x80, 0, 0x3f, 0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22};
    for (std::uintptr_t address = 4096; address < 4128; ++address) {
        FrameExpression cfa;
        REQUIRE(evaluate_frame_expression({program, program + sizeof program}, address, cfa));
        CHECK(cfa.base == FrameExpression::Base::stack_pointer);
        CHECK_FALSE(cfa.is_loaded);
        CHECK(cfa.offset == (address % 16 >= 11 ? 16 : 8));
    }
}

TEST_CASE("unwind rules: expressions that want more than they were given are not understood") {
    FrameExpression result;
    const auto evaluate = [&](std::initializer_list<std::uint8_t> bytes) {
        return evaluate_frame_expression({bytes.begin(), bytes.end()}, 0, result);
    };
    CHECK(evaluate({0x77, 8}));
    CHECK_FALSE(evaluate({}));
    CHECK_FALSE(evaluate({0x77}));        // No operand.
    CHECK_FALSE(evaluate({0x22}));        // Nothing to add.
    CHECK_FALSE(evaluate({0x31, 0x22}));  // One thing to add.
    CHECK_FALSE(evaluate({0x06}));        // Nothing to load from.
    CHECK_FALSE(evaluate({0x31, 0x31}));  // Two results.
    CHECK_FALSE(evaluate({0x77, 0, 0x77, 0, 0x22}));
    CHECK_FALSE(evaluate({0x77, 0, 0x06, 0x06}));
    CHECK_FALSE(evaluate({0x31, 0x08, 64, 0x24}));
    CHECK_FALSE(evaluate({0x31, 0x31, 0x31, 0x31, 0x31, 0x31, 0x31, 0x31, 0x31}));
    CHECK_FALSE(evaluate({0x73, 0}));  // Another register.
}

TEST_CASE("unwind rules: a packed rule comes back whole, and fits no other address") {
    const std::uintptr_t addresses[] = {1, 4096, 0x555555554000, 0x7fffffffffff, 0x7ffff7a00001};
    for (const std::uintptr_t address : addresses) {
        for (const std::int64_t cfa : {-4194304L, -8L, 0L, 8L, 16L, 4194296L}) {
            for (const std::int64_t saved : {-1024L, -16L, 0L, 1016L}) {
                const UnwindRule rule{.kind = Kind::frame_pointer_loaded,
                                      .cfa_offset = cfa,
                                      .frame_pointer_offset = saved};
                const PackedRule packed = PackedRule::pack(address, rule);
                CHECK(packed.is_for(address));
                check_same(packed.unpack(), rule);
                CHECK_FALSE(packed.is_for(address ^ std::uintptr_t{1} << 14));
                CHECK_FALSE(packed.is_for(address ^ std::uintptr_t{1} << 46));
            }
        }
    }
    CHECK(PackedRule::pack(8, {.kind = Kind::stack_pointer, .cfa_offset = 4194304}).word() == 0);
    CHECK(PackedRule::pack(8, {.kind = Kind::stack_pointer, .cfa_offset = 12}).word() == 0);
    CHECK(PackedRule::pack(8, {.frame_pointer_offset = 1024}).word() == 0);
    CHECK(PackedRule::pack(std::uintptr_t{1} << 47, {}).word() == 0);
}

#endif
