// SPDX-License-Identifier: MIT
#include "heap/debug/finding_report.hpp"

#include <algorithm>
#include <cstdint>

#include "platform/stack.hpp"

namespace carbide::detail {
namespace {

using platform::ReportText;

std::string_view view_of(const char* text) noexcept { return text != nullptr ? text : ""; }

// As the words behind "carbide: ".
std::string_view title_of(FindingKind kind) noexcept {
    switch (kind) {
        case FindingKind::leak:
            return "leak";
        case FindingKind::double_free:
            return "double free";
        case FindingKind::interior_free:
            return "free of an address inside an allocation";
        case FindingKind::foreign_free:
            return "free of a foreign pointer";
        case FindingKind::wrong_size:
            return "wrong size";
        case FindingKind::wrong_alignment:
            return "wrong alignment";
        case FindingKind::write_before:
            return "write in front of an allocation";
        case FindingKind::write_after:
            return "write past the end of an allocation";
        case FindingKind::write_after_free:
            return "write after free";
        case FindingKind::out_of_bounds_access:
            return "access out of bounds";
        case FindingKind::use_after_free:
            return "use after free";
        case FindingKind::second_thread:
            return "use by a second thread";
        case FindingKind::global_allocation:
            return "global allocation where none is allowed";
    }
    return "mistake";
}

// "8 bytes in front of it", "16 bytes behind its start", "right behind its end".
void write_offset(ReportText& text, const Finding& finding) noexcept {
    if (finding.offset_bytes < 0) {
        text.count(-static_cast<std::uintmax_t>(finding.offset_bytes), "byte")
            .text(" in front of it");
        return;
    }
    const auto offset_bytes = static_cast<std::size_t>(finding.offset_bytes);
    if (offset_bytes == 0 && finding.size_bytes != 0) {
        text.text("at its start");
    } else if (offset_bytes < finding.size_bytes) {
        text.count(offset_bytes, "byte").text(" behind its start");
    } else if (offset_bytes == finding.size_bytes) {
        text.text("right behind its end");
    } else {
        text.count(offset_bytes - finding.size_bytes, "byte").text(" behind its end");
    }
}

// `  Found there: 41 42 00  "AB."`
void write_found(ReportText& text, const Finding& finding) noexcept {
    const std::size_t count = std::min(finding.found_byte_count, sizeof finding.found_bytes);
    if (count == 0) return;
    text.text("  Found there");
    if (count == sizeof finding.found_bytes) text.text(", in the first 16 bytes");
    text.text(":");
    for (std::size_t i = 0; i < count; ++i) text.text(" ").hex_byte(finding.found_bytes[i]);
    text.text("  \"");
    for (std::size_t i = 0; i < count; ++i) {
        const auto letter = static_cast<char>(finding.found_bytes[i]);
        text.text(letter >= ' ' && letter <= '~' ? std::string_view(&letter, 1) : ".");
    }
    text.text("\"\n");
}

void write_subject(ReportText& text, const Finding& finding) noexcept {
    switch (finding.kind) {
        case FindingKind::second_thread:
            return;
        case FindingKind::foreign_free:
            text.text(": ").address(finding.address);
            return;
        case FindingKind::global_allocation:
            text.text(": ").bytes(finding.size_bytes);
            return;
        default:
            text.text(": ").bytes(finding.size_bytes).text(" at ").address(finding.block);
    }
}

void write_first_line(ReportText& text, const Finding& finding, platform::Style style) noexcept {
    constexpr std::string_view bold_red = "\033[1;31m";
    constexpr std::string_view plain = "\033[0m";
    if (style.color) text.text(bold_red);
    text.text("carbide: ").text(title_of(finding.kind));
    const std::string_view allocator = view_of(finding.allocator_name);
    const bool is_scope = finding.kind == FindingKind::global_allocation;
    if (!allocator.empty()) {
        text.text(is_scope ? ", in the scope '" : " in allocator '").text(allocator).text("'");
    }
    write_subject(text, finding);
    if (style.color) text.text(plain);
    text.text("\n");
}

void explain_foreign_free(ReportText& text, const Finding& finding) noexcept {
    if (finding.other_allocator_name != nullptr) {
        text.text("  It belongs to the allocator '")
            .text(finding.other_allocator_name)
            .text("', which has to free it.\n");
    } else if (finding.allocator_is_over) {
        text.text("  This allocator is over: its deinit() took back all that it had given out.\n");
    } else {
        text.text("  This allocator never gave that address out, or took it back long ago.\n");
    }
    text.text("  Nothing was freed.\n");
}

void explain_claim(ReportText& text, const Finding& finding) noexcept {
    if (finding.kind == FindingKind::wrong_size) {
        text.text("  The caller freed or resized it as ").bytes(finding.claimed_size_bytes);
        text.text(", but had asked for ").bytes(finding.size_bytes);
        text.text(".\n  The recorded size was used.\n");
    } else {
        text.text("  The caller freed or resized it with an alignment of ");
        text.bytes(finding.claimed_alignment_bytes).text(", but had asked for ");
        text.bytes(finding.alignment_bytes).text(".\n  The recorded alignment was used.\n");
    }
}

void explain(ReportText& text, const Finding& finding) noexcept {
    switch (finding.kind) {
        case FindingKind::leak:
            text.text("  It was never freed.\n");
            return;
        case FindingKind::double_free:
            text.text("  It had been freed before; the second free did nothing.\n");
            return;
        case FindingKind::interior_free:
            write_offset(text.text("  The caller freed ").address(finding.address).text(", "),
                         finding);
            text.text(".\n  Only the start can be freed; nothing was.\n");
            if (finding.other_allocator_name != nullptr) {
                text.text("  The allocator '")
                    .text(finding.other_allocator_name)
                    .text("' lends that memory out, and has to free it.\n");
            }
            return;
        case FindingKind::foreign_free:
            explain_foreign_free(text, finding);
            return;
        case FindingKind::wrong_size:
        case FindingKind::wrong_alignment:
            explain_claim(text, finding);
            return;
        case FindingKind::write_before:
        case FindingKind::write_after:
            write_offset(text.text("  The first byte that was overwritten stands "), finding);
            text.text(".\n");
            write_found(text, finding);
            return;
        case FindingKind::write_after_free:
            write_offset(text.text("  It was overwritten after it had been freed, first "),
                         finding);
            text.text(".\n");
            write_found(text, finding);
            return;
        case FindingKind::out_of_bounds_access:
        case FindingKind::use_after_free:
            text.text(finding.is_write ? "  The program wrote to " : "  The program read ")
                .address(finding.address)
                .text(", ");
            write_offset(text, finding);
            text.text(finding.kind == FindingKind::use_after_free ? ", after it had been freed.\n"
                                                                  : ".\n");
            return;
        case FindingKind::second_thread:
            text.text("  It belongs to thread ")
                .number(static_cast<unsigned>(finding.first_thread))
                .text(", and thread ")
                .number(static_cast<unsigned>(finding.second_thread))
                .text(
                    " used it.\n  Construct it with 'thread_safe', or call detach_from_thread() to "
                    "hand it over.\n");
            return;
        case FindingKind::global_allocation:
            text.text(
                "  malloc or new was called inside of a NoGlobalAllocation scope, where all "
                "memory has to come\n  from the allocator that was injected.\n");
            return;
    }
}

// Pads and freed memory are looked at long after the write, in other code.
bool is_noticed_late(FindingKind kind) noexcept {
    return kind == FindingKind::write_before || kind == FindingKind::write_after ||
           kind == FindingKind::write_after_free;
}

void write_stack(ReportText& text, std::string_view label, StackTrace trace) noexcept {
    if (trace.is_empty()) return;
    text.text("  ").text(label).text(":\n");
    platform::write_trace(text, trace);
}

}  // namespace

void write_finding(ReportText& text, const Finding& finding, platform::Style style) noexcept {
    write_first_line(text, finding, style);
    explain(text, finding);
    write_stack(text, is_noticed_late(finding.kind) ? "noticed here" : "here", finding.here);
    write_stack(text, "allocated", finding.allocated);
    write_stack(text, finding.kind == FindingKind::double_free ? "first free" : "freed",
                finding.freed);
    if (finding.first_owner.is_empty()) return;
    text.text("  first used by thread ").number(static_cast<unsigned>(finding.first_thread));
    write_trace(text.text(":\n"), finding.first_owner);
}

}  // namespace carbide::detail
