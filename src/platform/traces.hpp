// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "carbide/stack_trace.hpp"
#include "platform/stack_point.hpp"

/// Every call stack that was ever captured, once. Traces are never freed.
///
/// Nothing here allocates from the program's heap, takes the dynamic linker's lock or changes
/// errno. Any thread may call, from static constructors to thread exit, in signal handlers, and in
/// a child after fork, which needs no preparation: a lock that another thread held is taken over.
namespace carbide::platform {

struct Module;

/// The stack from `from` outwards, at most `frame_count_max` frames and at most
/// `StackTrace::frame_count_max`. Empty where memory for a new trace is out, and in a signal
/// handler that interrupted this function while it added a trace.
[[nodiscard]] StackTrace capture_trace(const StackPoint& from, unsigned frame_count_max) noexcept;

/// The call stands in front of `return_address`. For a function that a signal interrupted it is the
/// interrupted instruction's address plus one, so that `return_address - 1` always lies in the
/// instruction that was running.
struct TraceFrame {
    std::uintptr_t return_address;
    const Module* module;  // As it was when the trace was first captured; null: unknown.
};

[[nodiscard]] unsigned frame_count_of(StackTrace trace) noexcept;

/// `index` is below `frame_count_of(trace)`.
[[nodiscard]] TraceFrame frame_of(StackTrace trace, unsigned index) noexcept;

}  // namespace carbide::platform
