// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "carbide/stack_trace.hpp"

namespace carbide::tests {

/// Walks the stack, from the function that calls this outwards, in four ways: with the compiler's
/// own unwinder, with ours, and twice through `capture_trace`, which remembers. Says where they
/// differ. Empty: they agree.
[[nodiscard, gnu::noinline]] std::string stack_differences();

/// The return addresses of a trace.
[[nodiscard]] std::vector<std::uintptr_t> frames_of(StackTrace trace);

/// The callers of the function that calls this, as the compiler's unwinder finds them.
[[nodiscard, gnu::noinline]] std::vector<std::uintptr_t> oracle_frames();

/// Calls `body` with 0, 1, 2 and so on, from one place: compilers copy the calls of a loop that
/// they see through, and each copy is a stack of its own.
void repeat(unsigned count, const std::function<void(unsigned)>& body);

}  // namespace carbide::tests
