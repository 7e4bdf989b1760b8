// SPDX-License-Identifier: MIT
#pragma once

#include <ucontext.h>

#include "platform/stack_point.hpp"

namespace carbide::platform {

/// Where a signal has interrupted the program, by the third argument of its handler. All 0 on
/// architectures whose registers are not known here.
[[nodiscard]] inline StackPoint interrupted_point([[maybe_unused]] const void* context) noexcept {
    // One more than the address of the instruction, as if it were a call: see `TraceFrame`.
#if defined(__x86_64__)
    const auto& registers = static_cast<const ucontext_t*>(context)->uc_mcontext.gregs;
    return {static_cast<std::uintptr_t>(registers[REG_RIP]) + 1,
            static_cast<std::uintptr_t>(registers[REG_RSP]),
            static_cast<std::uintptr_t>(registers[REG_RBP])};
#elif defined(__aarch64__)
    const auto& registers = static_cast<const ucontext_t*>(context)->uc_mcontext;
    return {registers.pc + 1, registers.sp, registers.regs[29]};
#else
    return {};
#endif
}

}  // namespace carbide::platform
