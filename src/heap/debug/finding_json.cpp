// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstdint>

#include "heap/debug/finding_report.hpp"
#include "platform/symbols.hpp"

namespace carbide::detail {
namespace {

using platform::ReportText;

std::string_view view_of(const char* text) noexcept { return text != nullptr ? text : ""; }

constexpr bool is_continuation(unsigned char byte) noexcept { return (byte & 0xC0) == 0x80; }

// The length of the valid sequence at the start of `bytes`: not overlong, no surrogate, at most
// U+10FFFF. 0: there is none.
std::size_t sequence_bytes(std::string_view bytes) noexcept {
    const auto at = [&](std::size_t index) { return static_cast<unsigned char>(bytes[index]); };
    const unsigned char first = at(0);
    if (first < 0x80) return 1;
    const std::size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || bytes.size() < size) return 0;
    for (std::size_t i = 1; i < size; ++i) {
        if (!is_continuation(at(i))) return 0;
    }
    const unsigned char second = at(1);
    if (first == 0xE0 && second < 0xA0) return 0;
    if (first == 0xED && second > 0x9F) return 0;
    if (first == 0xF0 && second < 0x90) return 0;
    if (first == 0xF4 && second > 0x8F) return 0;
    return size;
}

void write_field(ReportText& text, std::string_view name) noexcept {
    text.text(",\"").text(name).text("\":");
}

// The whole of it, or what fits into a text that gets no memory: no stacks, and the begin of names.
enum class Extent : unsigned char { whole, cut };

void write_name(ReportText& text, std::string_view field, const char* name,
                Extent extent) noexcept {
    const std::string_view whole = view_of(name);
    write_field(text, field);
    write_json_string(text, extent == Extent::whole ? whole : whole.substr(0, cut_name_bytes_max));
}

void write_number(ReportText& text, std::string_view name, std::uintmax_t value) noexcept {
    write_field(text, name);
    text.number(value);
}

void write_true(ReportText& text, std::string_view name) noexcept {
    write_field(text, name);
    text.text("true");
}

void write_address(ReportText& text, std::string_view name, const void* pointer) noexcept {
    write_field(text, name);
    if (pointer == nullptr) {
        text.text("null");
    } else {
        text.text("\"").address(pointer).text("\"");
    }
}

void write_stack(ReportText& text, std::string_view name, StackTrace trace) noexcept {
    if (trace.is_empty()) return;
    write_field(text, name);
    write_json_trace(text, trace);
}

void write_frame(ReportText& text, const platform::SourceFrame& frame) noexcept {
    text.text("{");
    if (!frame.function.empty()) {
        text.text("\"function\":");
        write_json_string(text, frame.function);
        text.text(",");
    }
    if (!frame.file.empty()) {
        text.text("\"file\":");
        write_json_string(text, frame.file);
        text.text(",\"line\":").number(frame.line).text(",");
    }
    if (frame.inlined) text.text("\"inlined\":true,");
    if (!frame.module.empty()) {
        text.text("\"module\":");
        write_json_string(text, frame.module);
        text.text(",");
    }
    text.text("\"offset\":\"").hexadecimal(frame.offset).text("\"}");
}

void write_offset(ReportText& text, std::ptrdiff_t offset_bytes) noexcept {
    write_field(text, "offset_bytes");
    if (offset_bytes < 0) text.text("-");
    const auto magnitude = static_cast<std::uintmax_t>(offset_bytes);
    text.number(offset_bytes < 0 ? -magnitude : magnitude);
}

void write_found(ReportText& text, const Finding& finding) noexcept {
    write_field(text, "found");
    text.text("\"");
    const std::size_t count = std::min(finding.found_byte_count, sizeof finding.found_bytes);
    for (std::size_t i = 0; i < count; ++i) text.hex_byte(finding.found_bytes[i]);
    text.text("\"");
}

void write_details(ReportText& text, const Finding& finding, Extent extent) noexcept {
    switch (finding.kind) {
        case FindingKind::wrong_size:
            write_number(text, "claimed_size_bytes", finding.claimed_size_bytes);
            return;
        case FindingKind::wrong_alignment:
            write_number(text, "claimed_alignment_bytes", finding.claimed_alignment_bytes);
            return;
        case FindingKind::write_before:
        case FindingKind::write_after:
        case FindingKind::write_after_free:
            write_offset(text, finding.offset_bytes);
            write_found(text, finding);
            return;
        case FindingKind::interior_free:
            write_offset(text, finding.offset_bytes);
            return;
        case FindingKind::out_of_bounds_access:
        case FindingKind::use_after_free:
            write_offset(text, finding.offset_bytes);
            write_field(text, "access");
            text.text(finding.is_write ? "\"write\"" : "\"read\"");
            return;
        case FindingKind::foreign_free:
            if (finding.other_allocator_name == nullptr) {
                write_field(text, "other_allocator");
                text.text("null");
            } else {
                write_name(text, "other_allocator", finding.other_allocator_name, extent);
            }
            if (finding.allocator_is_over) write_true(text, "allocator_is_over");
            return;
        case FindingKind::second_thread:
            write_number(text, "first_thread", static_cast<unsigned>(finding.first_thread));
            write_number(text, "second_thread", static_cast<unsigned>(finding.second_thread));
            return;
        case FindingKind::leak:
        case FindingKind::double_free:
        case FindingKind::global_allocation:
            return;
    }
}

void write_object(ReportText& text, const Finding& finding, Extent extent) noexcept {
    text.text("{\"kind\":\"").text(name_of(finding.kind)).text("\"");
    write_name(text, "allocator", finding.allocator_name, extent);
    write_address(text, "address", finding.address);
    write_address(text, "block", finding.block);
    write_number(text, "size_bytes", finding.size_bytes);
    write_number(text, "alignment_bytes", finding.alignment_bytes);
    write_details(text, finding, extent);
    if (extent == Extent::whole) {
        write_stack(text, "here", finding.here);
        write_stack(text, "allocated", finding.allocated);
        write_stack(text, "freed", finding.freed);
        write_stack(text, "first_owner", finding.first_owner);
    } else {
        write_true(text, "cut_by_out_of_memory");
    }
    text.text("}\n");
}

}  // namespace

void write_json_string(ReportText& text, std::string_view bytes) noexcept {
    constexpr std::string_view replacement = "\xEF\xBF\xBD";
    text.text("\"");
    while (!bytes.empty()) {
        const std::size_t size = sequence_bytes(bytes);
        const auto byte = static_cast<unsigned char>(bytes[0]);
        if (size == 0) {
            text.text(replacement);
        } else if (byte == '"' || byte == '\\') {
            text.text("\\").text(bytes.substr(0, 1));
        } else if (byte < 0x20) {
            text.text("\\u00").hex_byte(byte);
        } else {
            text.text(bytes.substr(0, size));
        }
        bytes.remove_prefix(std::max(size, std::size_t{1}));
    }
    text.text("\"");
}

void write_json_trace(ReportText& text, StackTrace trace) noexcept {
    text.text("[");
    bool is_first = true;
    platform::for_each_frame(trace, [&](const platform::SourceFrame& frame) {
        if (!is_first) text.text(",");
        is_first = false;
        write_frame(text, frame);
    });
    text.text("]");
}

void write_finding_json(ReportText& text, const Finding& finding) noexcept {
    write_object(text, finding, Extent::whole);
    if (!text.is_cut()) return;
    // Half an object is of no use to the program that reads it.
    text.clear();
    write_object(text, finding, Extent::cut);
}

}  // namespace carbide::detail
