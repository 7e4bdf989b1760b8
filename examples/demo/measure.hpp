// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "carbide/allocator.hpp"
#include "carbide/result.hpp"
#include "demo/source_file.hpp"
#include "document/process_document.hpp"

namespace demo {

/// One way of giving memory to the pipeline: one of the two functions of process_document.hpp.
using Strategy = decltype(&json::process_document);

/// What the pipeline took from malloc for all files, one after the other.
struct Usage {
    std::size_t malloc_calls = 0;  // To malloc and realloc; every allocation has one free.
    std::size_t peak_bytes = 0;    // The most that was in use at a time.
    std::size_t leaked_count = 0;
    std::size_t leaked_bytes = 0;
};

/// A run under a limit that is too small.
struct LimitedRun {
    std::size_t limit_bytes = 0;
    std::size_t done_count = 0;   // Documents before the one that failed.
    std::string_view stopped_in;  // The name of that one.
    json::DocumentError error = carbide::OutOfMemory{};
    Usage usage;
};

/// Counts in a run of its own, so that counting disturbs no timing. The files are good ones.
[[nodiscard]] Usage measure_usage(Strategy strategy, std::span<const SourceFile> files,
                                  const json::DocumentOptions& options) noexcept;

/// Lowers the limit from `first_limit_bytes` until the arena strategy runs out of memory.
[[nodiscard]] LimitedRun run_limited(std::span<const SourceFile> files,
                                     const json::DocumentOptions& options,
                                     std::size_t first_limit_bytes) noexcept;

/// Medians over the same number of rounds.
struct Times {
    double piecewise_ms = 0;
    double arena_ms = 0;
    std::size_t round_count = 0;
};

/// The strategies take turns, so that whatever else the machine does meets both. With
/// `round_count` 0 there are as many rounds as fit into a second, but some.
[[nodiscard]] carbide::Result<Times> measure_times(carbide::Allocator scratch,
                                                   std::span<const SourceFile> files,
                                                   const json::DocumentOptions& options,
                                                   std::size_t round_count) noexcept;

}  // namespace demo
