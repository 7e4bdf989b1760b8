// SPDX-License-Identifier: MIT
#pragma once

#include "carbide/stack_trace.hpp"
#include "platform/report_text.hpp"
#include "platform/symbols.hpp"

namespace carbide::testing {

/// A line per frame, innermost first.
void append_trace(platform::ReportText& report, StackTrace trace, platform::Names names) noexcept;

}  // namespace carbide::testing
