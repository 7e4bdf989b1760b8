// SPDX-License-Identifier: MIT
#pragma once

#include "carbide/stack_trace.hpp"
#include "platform/report_text.hpp"
#include "platform/symbols.hpp"

namespace carbide::platform {

/// A line per frame, innermost first:
///
///     #0 parse(std::string_view) at parser.cpp:42 (inlined)
///     #1 main in build/app+0x1a2b0
///     #2 /lib/libfoo.so+0x1a2b0
void write_trace(ReportText& text, StackTrace trace, Names names = Names::all) noexcept;

/// Writes the running thread's call stack in that form, without this function.
void write_stack_trace(int file_descriptor) noexcept;

}  // namespace carbide::platform
