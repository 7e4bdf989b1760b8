// SPDX-License-Identifier: MIT
#include "testing/trace_text.hpp"

namespace carbide::testing {

void append_trace(platform::ReportText& report, StackTrace trace, platform::Names names) noexcept {
    platform::for_each_frame(
        trace,
        [&](const platform::SourceFrame& frame) {
            // From here outwards it is the kit that calls the function under test.
            if (frame.function.starts_with("carbide::testing::detail::")) return false;
            report.text("    ");
            if (!frame.function.empty()) report.text(frame.function).text(" ");
            if (!frame.file.empty()) {
                report.text(frame.file).text(":").number(frame.line);
            } else {
                report.text(frame.module).text("+").hexadecimal(frame.offset);
            }
            report.text(frame.inlined ? " (inlined)\n" : "\n");
            return true;
        },
        names);
}

}  // namespace carbide::testing
