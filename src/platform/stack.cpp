// SPDX-License-Identifier: MIT
#include "platform/stack.hpp"

#include "platform/stack_point.hpp"
#include "platform/traces.hpp"

namespace carbide::platform {
namespace {

constexpr unsigned line_count_max = 64;

void write_place(ReportText& text, const SourceFrame& frame) noexcept {
    if (!frame.module.empty()) text.text(frame.module).text("+");
    text.hexadecimal(frame.offset);
}

void write_frame(ReportText& text, unsigned index, const SourceFrame& frame) noexcept {
    text.text("    #").number(index).text(" ");
    if (frame.function.empty()) {
        write_place(text, frame);
    } else if (frame.file.empty()) {
        write_place(text.text(frame.function).text(" in "), frame);
    } else {
        text.text(frame.function).text(" at ").text(frame.file);
        if (frame.line != 0) text.text(":").number(frame.line);
    }
    text.text(frame.inlined ? " (inlined)\n" : "\n");
}

}  // namespace

void write_trace(ReportText& text, StackTrace trace, Names names) noexcept {
    unsigned count = 0;
    const auto write_line = [&](const SourceFrame& frame) {
        if (count == line_count_max) {
            text.text("    and deeper frames\n");
            return false;
        }
        write_frame(text, count++, frame);
        return true;
    };
    for_each_frame(trace, write_line, names);
}

void write_stack_trace(int file_descriptor) noexcept {
    ReportText text;
    write_trace(text, capture_trace(caller_point(), StackTrace::frame_count_max));
    text.write_to(file_descriptor);
}

}  // namespace carbide::platform

void carbide::StackTrace::write_to(int file_descriptor) const noexcept {
    platform::ReportText text;
    platform::write_trace(text, *this);
    text.write_to(file_descriptor);
}
