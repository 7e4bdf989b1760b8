// SPDX-License-Identifier: MIT
#include <benchmark/benchmark.h>

#include <charconv>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "report.hpp"

namespace {

struct Arguments {
    std::vector<std::string> words{
        "carbide_bench",
        "--benchmark_enable_random_interleaving=true",
        "--benchmark_min_time=0.004",
    };
    unsigned sweep_count = 41;
    bool plain = false;  // Google Benchmark's own report, of one run.
};

bool parse(int argc, char** argv, Arguments& arguments) {
    for (int i = 1; i < argc; ++i) {
        const std::string_view word = argv[i];
        constexpr std::string_view sweeps = "--sweeps=";
        if (word == "--json") {
            arguments.words.emplace_back("--benchmark_format=json");
            arguments.plain = true;
        } else if (word.starts_with(sweeps)) {
            const char* const end = word.data() + word.size();
            const auto [stop, error] =
                std::from_chars(word.data() + sweeps.size(), end, arguments.sweep_count);
            if (error != std::errc{} || stop != end || arguments.sweep_count == 0) return false;
        } else {
            if (word.starts_with("--benchmark_format") || word.starts_with("--benchmark_list")) {
                arguments.plain = true;
            }
            arguments.words.emplace_back(word);
        }
    }
    return true;
}

}  // namespace

int main(int argc, char** argv) {
    Arguments arguments;
    if (!parse(argc, argv, arguments)) {
        std::fputs("carbide: --sweeps wants a number above 0\n", stderr);
        return 2;
    }
    std::vector<char*> words;
    words.reserve(arguments.words.size() + 1);
    for (std::string& word : arguments.words) words.push_back(word.data());
    words.push_back(nullptr);
    int word_count = static_cast<int>(arguments.words.size());
    benchmark::Initialize(&word_count, words.data());
    if (benchmark::ReportUnrecognizedArguments(word_count, words.data())) return 2;

    if (arguments.plain) {
        benchmark::RunSpecifiedBenchmarks();
        return 0;
    }
    bench::PairedReporter reporter;
    for (unsigned sweep = 0; sweep < arguments.sweep_count; ++sweep) {
        benchmark::RunSpecifiedBenchmarks(&reporter);
    }
    return reporter.print() ? 0 : 1;
}
