// SPDX-License-Identifier: MIT
#include "zig_worker.hpp"

#include <cstdlib>
#include <string_view>

#include "process.hpp"

namespace bench::heaps {
namespace {

// The line that says what is wrong, without the place in the source. An old Zig finds more than one
// thing wrong, and one of them explains the others.
std::string error_in(const std::string& output) {
    constexpr std::string_view label = "error: ";
    std::size_t start = output.find("error: std.heap.smp_allocator");
    if (start == std::string::npos) start = output.find(label);
    if (start == std::string::npos) return "it does not compile heap_bench.zig";
    start += label.size();
    return output.substr(start, output.find('\n', start) - start);
}

}  // namespace

ZigWorker build_zig_worker(const std::string& program) {
    const char* const named = std::getenv("CARBIDE_ZIG");
    const std::string compiler = named == nullptr || *named == '\0' ? "zig" : named;
    if (run({compiler, "version"}, "").status != 0) {
        return {"", compiler == "zig" ? "no zig on PATH or in CARBIDE_ZIG"
                                      : "'" + compiler + "' of CARBIDE_ZIG does not run"};
    }
    // For the processor that the C++ is compiled for, which is any with this instruction set.
    const Outcome outcome = run({compiler, "build-exe", "-O", "ReleaseFast", "-mcpu=baseline",
                                 "-femit-bin=" + program, CARBIDE_HEAP_BENCH_ZIG_SOURCE},
                                "");
    if (outcome.status != 0) return {"", error_in(outcome.output)};
    return {program, ""};
}

}  // namespace bench::heaps
