// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include <fmt/format.h>

#include "demo/measure.hpp"
#include "demo/source_file.hpp"
#include "demo/terminal.hpp"
#include "document/analyze.hpp"
#include "document/key_table.hpp"

namespace demo {

/// Everything that the demo found out.
struct Findings {
    std::span<const SourceFile> files;
    std::size_t source_bytes = 0;
    json::Counts counts;
    std::span<const json::KeyCount> keys;
    Usage piecewise;
    Usage arena;
    Times times;
    LimitedRun limited;
};

/// For people: what was processed, a table, and a bar chart.
void write_report(fmt::memory_buffer& out, const Terminal& terminal, const Findings& findings);

/// For programs: one JSON object. Its strings are escaped in memory from `scratch`.
carbide::Result<void> write_json_report(fmt::memory_buffer& out, carbide::Allocator scratch,
                                        const Findings& findings);

/// A line: what stands in a file at a JSON Pointer, or why nothing does.
void write_answer(fmt::memory_buffer& out, std::string_view path,
                  const json::PointerAnswer& answer);

}  // namespace demo
