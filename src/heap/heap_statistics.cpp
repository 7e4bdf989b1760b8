// SPDX-License-Identifier: MIT
#include "carbide/heap_statistics.hpp"

#include <cstdint>
#include <string_view>

#include "platform/report_text.hpp"

namespace carbide {
namespace {

using platform::ReportText;
using SizeClass = HeapStatistics::SizeClass;

std::size_t slot_count(const SizeClass& slots) noexcept {
    return slots.lent_count + slots.cached_count() + slots.free_count;
}

// A size that was used once may have nothing any more.
bool is_used(const SizeClass& slots) noexcept {
    return slots.slab_count != 0 || slot_count(slots) != 0;
}

// --- As text -------------------------------------------------------------------------------------

// What a slab has, lent out or not: of that, in tenths of a percent.
std::uintmax_t utilisation_tenths(const SizeClass& slots) noexcept {
    const std::size_t count = slot_count(slots);
    return count == 0 ? 0 : (std::uintmax_t{slots.lent_count} * 1000 + count / 2) / count;
}

std::uintmax_t lent_kib_tenths(const SizeClass& slots) noexcept {
    return (std::uintmax_t{slots.lent_count} * slots.slot_bytes * 10 + 512) / 1024;
}

constexpr std::size_t slot_bytes_width = 10;
constexpr std::size_t count_width = 14;
constexpr std::size_t slabs_width = 9;
constexpr std::size_t percent_width = 12;

void write_header(ReportText& text, platform::Style style) noexcept {
    constexpr std::string_view dim = "\033[2m";
    constexpr std::string_view plain = "\033[0m";
    if (style.color) text.text(dim);
    text.right("slot bytes", slot_bytes_width);
    for (const char* const title : {"lent", "in bins", "in depots", "free in slabs"}) {
        text.text(" ").right(title, count_width - 1);
    }
    text.right("slabs", slabs_width).right("KiB lent", count_width);
    text.right("utilisation", percent_width + 1);
    if (style.color) text.text(plain);
    text.text("\n");
}

void write_row(ReportText& text, const SizeClass& slots) noexcept {
    text.right_grouped(slots.slot_bytes, slot_bytes_width);
    for (const std::size_t count :
         {slots.lent_count, slots.binned_count, slots.depot_count, slots.free_count}) {
        text.text(" ").right_grouped(count, count_width - 1);
    }
    text.text(" ").right_grouped(slots.slab_count, slabs_width - 1);
    text.text(" ").right_tenths(lent_kib_tenths(slots), count_width - 1);
    text.text(" ").right_tenths(utilisation_tenths(slots), percent_width - 2).text(" %\n");
}

void write_table(ReportText& text, const HeapStatistics& sums, platform::Style style) noexcept {
    bool has_header = false;
    for (const SizeClass& slots : sums.size_classes) {
        if (!is_used(slots)) continue;
        if (!has_header) write_header(text, style);
        has_header = true;
        write_row(text, slots);
    }
    if (has_header) text.text("\n");
}

void write_totals(ReportText& text, const HeapStatistics& sums) noexcept {
    text.text("mapped     ").bytes(sums.mapped_bytes).text("\n");
    text.text("resident   ").bytes(sums.resident_bytes).text("\n");
    text.text("lent out   ").bytes(sums.lent_bytes).text("\n");
    text.text("cached     ").bytes(sums.cached_bytes).text("\n");
    text.text("free       ").bytes(sums.free_bytes).text("\n");
    text.text("large      ").count(sums.large_count, "allocation");
    text.text(", ").bytes(sums.large_bytes).text("\n");
    text.text("huge       ").count(sums.huge_count, "allocation");
    text.text(", ").bytes(sums.huge_bytes).text("\n");
    text.text("chunks     ").grouped(sums.chunk_count).text("\n");
    text.text("threads    ").grouped(sums.thread_count).text("\n");
}

// --- As JSON -------------------------------------------------------------------------------------

struct Field {
    std::string_view name;
    std::size_t value;
};

template <std::size_t Count>
void write_fields(ReportText& text, const Field (&fields)[Count]) noexcept {
    std::string_view separator;
    for (const Field& field : fields) {
        text.text(separator).text("\"").text(field.name).text("\":").number(field.value);
        separator = ",";
    }
}

void write_json_slots(ReportText& text, const SizeClass& slots) noexcept {
    text.text("{");
    write_fields(text, {{"slot_bytes", slots.slot_bytes},
                        {"lent_count", slots.lent_count},
                        {"binned_count", slots.binned_count},
                        {"depot_count", slots.depot_count},
                        {"free_count", slots.free_count},
                        {"slab_count", slots.slab_count}});
    text.text("}");
}

void write_json_totals(ReportText& text, const HeapStatistics& sums) noexcept {
    write_fields(text, {{"large_count", sums.large_count},
                        {"large_bytes", sums.large_bytes},
                        {"huge_count", sums.huge_count},
                        {"huge_bytes", sums.huge_bytes},
                        {"lent_bytes", sums.lent_bytes},
                        {"cached_bytes", sums.cached_bytes},
                        {"free_bytes", sums.free_bytes},
                        {"mapped_bytes", sums.mapped_bytes},
                        {"resident_bytes", sums.resident_bytes},
                        {"chunk_count", sums.chunk_count},
                        {"thread_count", sums.thread_count}});
}

void write_json(ReportText& text, const HeapStatistics& sums) noexcept {
    text.text("{");
    write_json_totals(text, sums);
    text.text(",\"size_classes\":[");
    std::string_view separator;
    for (const SizeClass& slots : sums.size_classes) {
        text.text(separator);
        write_json_slots(text, slots);
        separator = ",";
    }
    text.text("]}\n");
    if (!text.is_cut()) return;
    // Half a line would be no JSON. The totals always fit in the text's own bytes.
    text.clear();
    text.text("{");
    write_json_totals(text, sums);
    text.text(",\"size_classes\":null}\n");
}

}  // namespace

void HeapStatistics::write_to(int file_descriptor, Format format) const noexcept {
    ReportText text;
    switch (format) {
        case Format::text:
            write_table(text, *this, platform::style_for(file_descriptor));
            write_totals(text, *this);
            break;
        case Format::json:
            write_json(text, *this);
            break;
    }
    text.write_to(file_descriptor);
}

}  // namespace carbide
