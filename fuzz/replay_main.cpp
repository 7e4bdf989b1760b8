// SPDX-License-Identifier: MIT
// carbide_fuzz_replay COUNT SEED [FILE...]: the fuzz target without a fuzzer. Runs the files, then
// COUNT inputs made from the seed; before each it notes which, so that a failure can be repeated.
#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <unistd.h>

#include "bytes.hpp"

extern "C" {
// Requests for more than there can be are part of the test.
const char* __asan_default_options() { return "allocator_may_return_null=1:abort_on_error=1"; }
const char* __tsan_default_options() { return "allocator_may_return_null=1:abort_on_error=1"; }
}

namespace {

char running[256];

// The library traps and the model aborts: say which input it was, then die of it.
extern "C" void name_input(int signal_number) {
    const std::string_view text = running;
    static_cast<void>(!write(STDERR_FILENO, text.data(), text.size()));
    std::signal(signal_number, SIG_DFL);
    std::raise(signal_number);
}

void run(const std::vector<std::uint8_t>& input) { fuzz::run_input(input); }

bool run_file(const char* path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        std::fprintf(stderr, "carbide: cannot open '%s'\n", path);
        return false;
    }
    std::snprintf(running, sizeof running, "carbide_fuzz_replay: in %s\n", path);
    run({std::istreambuf_iterator<char>(file), {}});
    return true;
}

void run_random(std::uint64_t seed) {
    std::snprintf(running, sizeof running, "carbide_fuzz_replay: repeat it with 1 %llu\n",
                  static_cast<unsigned long long>(seed));
    std::mt19937_64 random(seed);
    std::vector<std::uint8_t> input(random() % 900);
    for (std::uint8_t& byte : input) byte = static_cast<std::uint8_t>(random());
    run(input);
}

bool parse(std::string_view text, std::uint64_t& number) {
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc{} && stop == text.data() + text.size();
}

}  // namespace

int main(int argc, char** argv) {
    std::uint64_t count = 0;
    std::uint64_t seed = 0;
    if (argc < 3 || !parse(argv[1], count) || !parse(argv[2], seed)) {
        std::fputs("usage: carbide_fuzz_replay COUNT SEED [FILE...]\n", stderr);
        return 2;
    }
    for (const int signal_number : {SIGABRT, SIGILL, SIGTRAP, SIGSEGV, SIGBUS}) {
        std::signal(signal_number, name_input);
    }
    for (int i = 3; i < argc; ++i) {
        if (!run_file(argv[i])) return 1;
    }
    for (std::uint64_t i = 0; i < count; ++i) run_random(seed + i);
    std::printf("%llu inputs from seed %llu, and %d files\n",
                static_cast<unsigned long long>(count), static_cast<unsigned long long>(seed),
                argc - 3);
    return 0;
}
