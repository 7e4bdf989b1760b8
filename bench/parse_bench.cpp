// SPDX-License-Identifier: MIT
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <string_view>
#include <vector>

#include "candidates.hpp"
#include "report.hpp"
#include "workloads.hpp"

namespace bench {
namespace {

constexpr std::size_t word_count = 500;
constexpr std::size_t word_bytes_max = 40;

// 1 to 40 characters each, the same in every run.
const std::vector<std::string_view>& words() {
    static const std::vector<std::string_view> all = [] {
        static constexpr std::string_view text = "the quick brown fox jumps over the lazy dog";
        static_assert(word_bytes_max <= text.size());
        std::vector<std::string_view> made;
        std::uint32_t random = 1;
        for (std::size_t i = 0; i < word_count; ++i) {
            random = random * 1664525 + 1013904223;
            made.push_back(text.substr(0, 1 + (random >> 16) % word_bytes_max));
        }
        return made;
    }();
    return all;
}

template <class Candidate>
void parse(benchmark::State& state) {
    Candidate candidate;
    for (auto _ : state) {
        auto* const list = parse_words<typename Candidate::Source>(candidate.source(), words());
        if (list == nullptr) state.SkipWithError("out of memory");
        benchmark::DoNotOptimize(list);
        candidate.rewind();
    }
    count_items(state, 2 * word_count);
}

void parse_with_malloc(benchmark::State& state) {
    while (state.KeepRunning()) {
        for (TextNode* node = parse_words<Malloc>({}, words()); node != nullptr;) {
            TextNode* const next = node->next;
            std::free(node->text);
            delete node;
            node = next;
        }
    }
    count_items(state, 2 * word_count);
}

BENCHMARK(parse<Arena>)->Name("parse/arena");
BENCHMARK(parse<FixedBuffer>)->Name("parse/fixed buffer");
BENCHMARK(parse<Bump>)->Name("parse/hand-written bump");
BENCHMARK(parse<PmrMonotonic>)->Name("parse/pmr monotonic");
BENCHMARK(parse_with_malloc)->Name("parse/malloc and new");

const Scenario scenario{
    "parse",
    "500 words of 1 to 40 characters, and a node for each, a round",
    {cost("arena", "hand-written bump"), cost("fixed buffer", "hand-written bump"),
     speed("arena", "pmr monotonic"), speed("arena", "malloc and new")}};

}  // namespace
}  // namespace bench
