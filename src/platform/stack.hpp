// SPDX-License-Identifier: MIT
#pragma once

namespace carbide::platform {

/// Writes the running thread's call stack, a line `module(+offset)` per frame, innermost first.
/// `addr2line -e MODULE OFFSET` names them. Allocates nothing beyond what the compiler's unwinder
/// needs on its first use.
void write_stack_trace(int file_descriptor) noexcept;

}  // namespace carbide::platform
