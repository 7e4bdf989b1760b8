// SPDX-License-Identifier: MIT
#include "demo/report.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "demo/texts.hpp"

namespace demo {
namespace {

template <class... Args>
void print(fmt::memory_buffer& out, fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(out), format, std::forward<Args>(args)...);
}

std::string_view plural(std::size_t count) noexcept { return count == 1 ? "" : "s"; }

// As many of the most frequent keys as fit into the line.
void write_keys(fmt::memory_buffer& out, const Terminal& terminal,
                std::span<const json::KeyCount> keys) {
    if (keys.empty()) return;
    fmt::memory_buffer line;
    for (const json::KeyCount& key : keys) {
        fmt::memory_buffer entry;
        print(entry, "{}{} {}", line.size() == 0 ? "" : ", ", printable(key.key).view(),
              grouped(key.count).view());
        constexpr std::size_t label_columns = 12;
        if (line.size() != 0 && label_columns + line.size() + entry.size() > terminal.column_count)
            break;
        line.append(std::string_view(entry.data(), entry.size()));
    }
    print(out, "  top keys  {}\n", std::string_view(line.data(), line.size()));
}

void write_input(fmt::memory_buffer& out, const Terminal& terminal, const Findings& findings) {
    using Kind = json::ValueKind;
    const json::Counts& counts = findings.counts;
    const std::size_t literal_count =
        counts.of(Kind::true_literal) + counts.of(Kind::false_literal) + counts.of(Kind::null);

    print(out, "  input     {} file{}, {} of JSON\n", grouped(findings.files.size()).view(),
          plural(findings.files.size()), bytes_text(findings.source_bytes).view());
    print(out, "  values    {}, nested {} deep\n", grouped(counts.values()).view(),
          grouped(counts.depth).view());
    const std::pair<std::size_t, std::string_view> parts[] = {
        {counts.of(Kind::object), "object"}, {counts.of(Kind::array), "array"},
        {counts.of(Kind::string), "string"}, {counts.of(Kind::number), "number"},
        {literal_count, "literal"},
    };
    std::string_view before = "  of these  ";
    for (const auto& [count, name] : parts) {
        if (count == 0) continue;
        print(out, "{}{} {}{}", before, grouped(count).view(), name, plural(count));
        before = ", ";
    }
    print(out, "\n");
    write_keys(out, terminal, findings.keys);
}

struct Row {
    std::string_view label;
    ShortText time;
    Usage usage;
};

void write_table(fmt::memory_buffer& out, const Terminal& terminal, std::span<const Row> rows) {
    paint(out, terminal, Colour::bold,
          fmt::format("  {:<26}{:>14}{:>13}{:>13}{:>10}\n", "memory from", "time", "malloc calls",
                      "peak memory", "leaks"));
    for (const Row& row : rows) {
        print(out, "  {:<26}{:>14}{:>13}{:>13}", row.label, row.time.view(),
              grouped(row.usage.malloc_calls).view(), bytes_text(row.usage.peak_bytes).view());
        const bool leaks = row.usage.leaked_count != 0;
        paint(out, terminal, leaks ? Colour::red : Colour::green,
              fmt::format("{:>10}\n", leaks ? grouped(row.usage.leaked_count).view() : "none"));
    }
}

struct Comparison {
    std::string_view what;
    std::string_view if_less;  // "faster"; arenas win.
    std::string_view if_more;  // "as long"
    double piecewise;
    double arena;
    ShortText piecewise_text;
    ShortText arena_text;
};

// Two bars that share a scale, below what they compare.
void write_bars(fmt::memory_buffer& out, const Terminal& terminal, const Comparison& compared) {
    const bool is_less = compared.arena < compared.piecewise;
    const double longer = std::max(compared.piecewise, compared.arena);
    const double shorter = std::min(compared.piecewise, compared.arena);
    paint(out, terminal, Colour::bold, fmt::format("  {}", compared.what));
    print(out, ": {} {} with arenas\n", ratio_text(longer, shorter).view(),
          is_less ? compared.if_less : compared.if_more);

    constexpr std::size_t label_columns = 12;
    constexpr std::size_t number_columns = 12;
    const std::size_t bar_columns = terminal.column_count - label_columns - number_columns;
    print(out, "    malloc  ");
    draw_bar(out, terminal, Colour::yellow, compared.piecewise / longer, bar_columns);
    print(out, "{:>{}}\n", compared.piecewise_text.view(), number_columns);
    print(out, "    arena   ");
    draw_bar(out, terminal, Colour::green, compared.arena / longer, bar_columns);
    print(out, "{:>{}}\n", compared.arena_text.view(), number_columns);
}

void write_chart(fmt::memory_buffer& out, const Terminal& terminal, const Findings& findings) {
    const Times& times = findings.times;
    write_bars(out, terminal,
               {"time", "faster", "as long", times.piecewise_ms, times.arena_ms,
                time_text(times.piecewise_ms), time_text(times.arena_ms)});

    const auto compare_counts = [&](std::string_view what, std::string_view if_less,
                                    std::string_view if_more, std::size_t piecewise,
                                    std::size_t arena, auto text_of) {
        write_bars(out, terminal,
                   {what, if_less, if_more, static_cast<double>(piecewise),
                    static_cast<double>(arena), text_of(piecewise), text_of(arena)});
    };
    compare_counts("calls of malloc", "fewer", "as many", findings.piecewise.malloc_calls,
                   findings.arena.malloc_calls, grouped);
    compare_counts("peak memory", "less", "as much", findings.piecewise.peak_bytes,
                   findings.arena.peak_bytes, bytes_text);
}

void write_notes(fmt::memory_buffer& out, const Findings& findings) {
    const LimitedRun& limited = findings.limited;
    const bool leaks = limited.usage.leaked_count != 0;
    print(out, "  time: median of {} round{}, taken in turns; calls: malloc and realloc\n",
          grouped(findings.times.round_count).view(), plural(findings.times.round_count));
    print(out, "  peak: bytes asked for; what malloc adds to each allocation comes on top\n");
    print(out, "  limit: {} in all, enough for {} of {}; then\n",
          bytes_text(limited.limit_bytes).view(), grouped(limited.done_count).view(),
          grouped(findings.files.size()).view());
    print(out, "         {}: {}, and {}\n", printable(limited.stopped_in).view(),
          limited.error.message().view(),
          leaks ? "NOT everything was given back" : "everything was given back");
}

}  // namespace

void write_report(fmt::memory_buffer& out, const Terminal& terminal, const Findings& findings) {
    print(out, "One pipeline (tokenize, parse, analyze), three ways to give it memory.\n\n");
    write_input(out, terminal, findings);
    print(out, "\n");

    const Row rows[] = {
        {"malloc, piece by piece", time_text(findings.times.piecewise_ms), findings.piecewise},
        {"an arena per document", time_text(findings.times.arena_ms), findings.arena},
        {"an arena, limit too small", ShortText().append("out of memory"), findings.limited.usage},
    };
    write_table(out, terminal, rows);
    write_notes(out, findings);
    print(out, "\n");
    write_chart(out, terminal, findings);
}

void write_answer(fmt::memory_buffer& out, std::string_view path,
                  const json::PointerAnswer& answer) {
    if (answer.outcome == json::PointerOutcome::found) {
        print(out, "{}: {}\n", path, answer.json);
        return;
    }
    print(out, "{}: not found: ", path);
    if (answer.resolved.empty()) {
        print(out, "the document is");
    } else {
        print(out, "'{}' is", answer.resolved);
    }
    print(out, " {}; {}\n", json::described(answer.kind), json::reason_of(answer.outcome));
}

}  // namespace demo
