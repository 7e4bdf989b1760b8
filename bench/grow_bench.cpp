// SPDX-License-Identifier: MIT
#include <benchmark/benchmark.h>

#include <cstdlib>

#include "candidates.hpp"
#include "report.hpp"
#include "workloads.hpp"

namespace bench {
namespace {

constexpr std::size_t final_bytes = std::size_t{64} << 10;
constexpr std::size_t step_count = 12;
static_assert(16 << step_count == final_bytes);

template <class Candidate>
void grow(benchmark::State& state) {
    Candidate candidate;
    for (auto _ : state) {
        char* const buffer =
            grow_buffer<typename Candidate::Source>(candidate.source(), final_bytes);
        if (buffer == nullptr) state.SkipWithError("out of memory");
        benchmark::DoNotOptimize(buffer);
        candidate.rewind();
    }
    count_items(state, step_count);
}

void grow_with_realloc(benchmark::State& state) {
    while (state.KeepRunning()) {
        char* const buffer = grow_buffer<Malloc>({}, final_bytes);
        benchmark::DoNotOptimize(buffer);
        std::free(buffer);
    }
    count_items(state, step_count);
}

BENCHMARK(grow<Arena>)->Name("grow/arena");
BENCHMARK(grow<FixedBuffer>)->Name("grow/fixed buffer");
BENCHMARK(grow<PmrMonotonic>)->Name("grow/pmr monotonic");
BENCHMARK(grow_with_realloc)->Name("grow/realloc");

const Scenario scenario{"grow",
                        "a buffer that doubles twelve times, from 16 bytes to 64 KiB",
                        {speed("arena", "pmr monotonic"), speed("arena", "realloc")}};

}  // namespace
}  // namespace bench
