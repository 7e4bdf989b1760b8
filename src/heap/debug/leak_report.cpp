// SPDX-License-Identifier: MIT
#include "heap/debug/leak_report.hpp"

#include <algorithm>
#include <cstdint>
#include <new>

#include "heap/debug/finding_report.hpp"
#include "platform/pages.hpp"
#include "platform/stack.hpp"

namespace carbide::detail {
namespace {

using platform::ReportText;

std::string_view view_of(const char* text) noexcept { return text != nullptr ? text : ""; }

// Largest first; the rest only makes the order the same in every run.
bool comes_first(const LeakGroup& one, const LeakGroup& other) noexcept {
    if (one.size_bytes != other.size_bytes) return one.size_bytes > other.size_bytes;
    if (one.count != other.count) return one.count > other.count;
    return one.allocated.id() < other.allocated.id();
}

void count_in(LeakGroup& group, const void* block, std::size_t size_bytes) noexcept {
    if (group.count == 0) {
        group.example = block;
        group.example_size_bytes = size_bytes;
    }
    ++group.count;
    group.size_bytes += size_bytes;
}

/// What a report shows of its groups, and the sum of the others.
struct Shown {
    std::span<const LeakGroup> groups;
    std::size_t omitted_group_count = 0;
    std::size_t omitted_count = 0;
    std::size_t omitted_bytes = 0;
};

Shown shown_of(const LeakReport& report, std::size_t group_count_max) noexcept {
    const std::span<const LeakGroup> all = report.groups.sorted();
    Shown shown{.groups = all.first(std::min(all.size(), group_count_max))};
    for (const LeakGroup& group : all.subspan(shown.groups.size())) {
        ++shown.omitted_group_count;
        shown.omitted_count += group.count;
        shown.omitted_bytes += group.size_bytes;
    }
    return shown;
}

void write_first_line(ReportText& text, const LeakReport& report, platform::Style style) noexcept {
    const LeakGroups& groups = report.groups;
    const std::size_t place_count = report.groups.sorted().size();
    if (style.color && groups.count() != 0) text.text("\033[1;31m");
    text.text("carbide: allocator '").text(view_of(report.allocator_name)).text("' leaked ");
    if (groups.count() == 0) {
        text.text("nothing\n");
        return;
    }
    text.count(groups.count(), "allocation").text(", ").bytes(groups.size_bytes());
    text.text(", from ").count(place_count, "place");
    text.text(style.color ? "\033[0m\n" : "\n");
}

void write_group(ReportText& text, const LeakGroup& group) noexcept {
    text.text("  ").bytes(group.size_bytes);
    if (group.count == 1) {
        text.text(" at ").address(group.example).text(", allocated:\n");
    } else {
        text.text(" in ").count(group.count, "allocation").text(", one of them ");
        text.bytes(group.example_size_bytes).text(" at ").address(group.example);
        text.text(", allocated:\n");
    }
    if (group.allocated.is_empty()) {
        text.text("    (no call stack was recorded)\n");
    } else {
        platform::write_trace(text, group.allocated);
    }
}

}  // namespace

LeakGroups::~LeakGroups() {
    if (slots_ != first_slots_) {
        platform::unmap_pages(slots_, platform::round_up_to_pages(slot_count_ * sizeof(LeakGroup)));
    }
}

void LeakGroups::add(StackTrace allocated, const void* block, std::size_t size_bytes) noexcept {
    ++count_;
    size_bytes_ += size_bytes;
    if (used_count_ >= slot_count_ / 2) static_cast<void>(grow());
    LeakGroup* const group = find(allocated);
    if (group->count != 0) {
        count_in(*group, block, size_bytes);
    } else if (used_count_ + 1 < slot_count_) {  // One slot stays unused, where a search ends.
        group->allocated = allocated;
        ++used_count_;
        count_in(*group, block, size_bytes);
    } else {
        count_in(without_place_, block, size_bytes);
    }
}

// Its group, or the slot for it.
LeakGroup* LeakGroups::find(StackTrace allocated) noexcept {
    const std::size_t mask = slot_count_ - 1;
    std::size_t at = (allocated.id() * std::uint64_t{0x9E3779B97F4A7C15} >> 32) & mask;
    while (slots_[at].count != 0 && slots_[at].allocated != allocated) at = (at + 1) & mask;
    return slots_ + at;
}

bool LeakGroups::grow() noexcept {
    const std::size_t new_count = 4 * slot_count_;
    const std::size_t new_bytes = platform::round_up_to_pages(new_count * sizeof(LeakGroup));
    void* const pages = platform::map_pages(new_bytes, 1);
    if (pages == nullptr) return false;

    const std::span<LeakGroup> old(slots_, slot_count_);
    const bool was_mapped = slots_ != first_slots_;
    slots_ = ::new (pages) LeakGroup[new_count];
    slot_count_ = new_count;
    for (const LeakGroup& group : old) {
        if (group.count != 0) *find(group.allocated) = group;
    }
    if (was_mapped) {
        platform::unmap_pages(old.data(), platform::round_up_to_pages(old.size_bytes()));
    }
    return true;
}

void LeakGroups::suppress(Suppressions& suppressions) noexcept {
    suppressions.reset_counts();
    if (suppressions.entries().empty()) return;
    for (LeakGroup& group : std::span(slots_, slot_count_)) {
        if (group.count == 0) continue;
        const auto index = suppressions.match(group.allocated);
        if (!index) continue;
        Suppressions::Entry& entry = suppressions.entries()[*index];
        entry.count += group.count;
        entry.size_bytes += group.size_bytes;
        count_ -= group.count;
        size_bytes_ -= group.size_bytes;
        group = {};
    }
}

std::span<const LeakGroup> LeakGroups::sorted() noexcept {
    const std::span<LeakGroup> slots(slots_, slot_count_);
    LeakGroup* end = std::remove_if(slots.data(), slots.data() + slots.size(),
                                    [](const LeakGroup& group) { return group.count == 0; });
    if (without_place_.count != 0) {
        *end++ = without_place_;
        without_place_ = {};
    }
    std::fill(end, slots.data() + slots.size(), LeakGroup{});
    std::sort(slots.data(), end, comes_first);
    return {slots.data(), end};
}

void write_leaks(ReportText& text, const LeakReport& report, platform::Style style) noexcept {
    write_first_line(text, report, style);
    const Shown shown = shown_of(report, report.group_count_max);
    for (const LeakGroup& group : shown.groups) write_group(text, group);
    if (shown.omitted_group_count != 0) {
        text.text("  and ").count(shown.omitted_group_count, "more place").text(": ");
        text.bytes(shown.omitted_bytes).text(" in ").count(shown.omitted_count, "allocation");
        text.text("\n");
    }
    if (report.suppressions == nullptr) return;
    for (const Suppressions::Entry& entry : report.suppressions->entries()) {
        if (entry.count == 0) continue;
        text.text("  ").count(entry.count, "allocation").text(" (").bytes(entry.size_bytes);
        text.text(entry.count == 1 ? ") matches" : ") match").text(" suppression leak:");
        text.text(entry.pattern).text("\n");
    }
}

namespace {

void write_json_group(ReportText& text, const LeakGroup& group) noexcept {
    text.text("{\"count\":").number(group.count);
    text.text(",\"size_bytes\":").number(group.size_bytes);
    text.text(",\"example\":\"").address(group.example);
    text.text("\",\"example_size_bytes\":").number(group.example_size_bytes);
    text.text(",\"allocated\":");
    write_json_trace(text, group.allocated);
    text.text("}");
}

void write_json_suppressed(ReportText& text, const Suppressions& suppressions) noexcept {
    bool is_first = true;
    for (const Suppressions::Entry& entry : suppressions.entries()) {
        if (entry.count == 0) continue;
        text.text(is_first ? "{\"pattern\":" : ",{\"pattern\":");
        is_first = false;
        write_json_string(text, entry.pattern);
        text.text(",\"count\":").number(entry.count);
        text.text(",\"size_bytes\":").number(entry.size_bytes).text("}");
    }
}

// With so many groups; where that is 0 it fits into a text that gets no memory.
void write_json_report(ReportText& text, const LeakReport& report, std::size_t group_count_max,
                       bool is_cut) noexcept {
    const Shown shown = shown_of(report, group_count_max);
    const bool is_smallest = is_cut && group_count_max == 0;
    const std::string_view name = view_of(report.allocator_name);
    text.text("{\"allocator\":");
    write_json_string(text, is_smallest ? name.substr(0, cut_name_bytes_max) : name);
    text.text(",\"leaked_count\":").number(report.groups.count());
    text.text(",\"leaked_bytes\":").number(report.groups.size_bytes());
    text.text(",\"groups\":[");
    for (const LeakGroup& group : shown.groups) {
        if (&group != shown.groups.data()) text.text(",");
        write_json_group(text, group);
    }
    text.text("],\"omitted\":{\"groups\":").number(shown.omitted_group_count);
    text.text(",\"count\":").number(shown.omitted_count);
    text.text(",\"size_bytes\":").number(shown.omitted_bytes).text("},\"suppressed\":[");
    if (report.suppressions != nullptr && !is_smallest) {
        write_json_suppressed(text, *report.suppressions);
    }
    text.text(is_cut ? "],\"cut_by_out_of_memory\":true}\n" : "]}\n");
}

}  // namespace

void write_leaks_json(ReportText& text, const LeakReport& report) noexcept {
    std::size_t group_count = std::min(report.groups.sorted().size(), report.group_count_max);
    write_json_report(text, report, group_count, false);
    // Half an object is of no use to the program that reads it.
    while (text.is_cut()) {
        group_count /= 2;
        text.clear();
        write_json_report(text, report, group_count, true);
    }
}

}  // namespace carbide::detail
