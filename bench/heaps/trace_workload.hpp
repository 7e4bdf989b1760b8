// SPDX-License-Identifier: MIT
#pragma once

#include "measure.hpp"
#include "trace.hpp"

namespace bench::heaps {

template <class Source>
[[gnu::noinline]] void replay(Source source, std::span<const TraceEvent> events,
                              std::span<Block> blocks) {
    for (const TraceEvent& event : events) {
        Block& block = blocks[event.slot];
        if (event.size_bytes == 0) {
            source.free(block.memory, block.size_bytes);
        } else {
            block = {source.alloc(event.size_bytes), event.size_bytes};
            block.memory[0] = std::byte{1};
        }
    }
}

/// What is resident is taken where most of the trace has been replayed.
template <class Source>
Measurement trace(Source source, const Job& job) {
    const Trace recorded = load_trace(job.trace);
    const Table<Block> blocks(recorded.slot_count);
    const std::span<const TraceEvent> events = recorded.events.entries();
    const std::uint64_t pass_count =
        std::max<std::uint64_t>(job.operation_count / recorded.allocation_count, 1);
    replay(source, events, blocks.entries());  // Not timed.

    Measurement result;
    result.operation_count = pass_count * recorded.allocation_count;
    const Span span = timed([&] {
        for (std::uint64_t i = 0; i < pass_count; ++i) replay(source, events, blocks.entries());
    });
    const std::size_t sampled_at = events.size() / 4 * 3;
    replay(source, events.first(sampled_at), blocks.entries());
    result.steady_bytes = resident_bytes();
    replay(source, events.subspan(sampled_at), blocks.entries());
    result.freed_bytes = resident_bytes();
    set_times(result, std::span(&span, 1), 1);
    return result;
}

}  // namespace bench::heaps
