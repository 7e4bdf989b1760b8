// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "resident.hpp"

/// What a real program asked its allocator for, as traces/README.md describes the file.
namespace bench::heaps {

struct TraceEvent {
    std::uint32_t slot;        // Which of the live blocks.
    std::uint32_t size_bytes;  // 0: the block is freed.
};

struct Trace {
    Table<TraceEvent> events;  // Everything is freed at their end.
    std::size_t allocation_count = 0;
    std::size_t slot_count = 0;
};

/// Ends the process where the file cannot be read or is no trace.
[[nodiscard]] Trace load_trace(const char* path);

}  // namespace bench::heaps
