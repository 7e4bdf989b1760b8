// SPDX-License-Identifier: MIT
// One workload on one allocator, in a process of its own; `./dev bench heaps` starts it many times.
// Without CLI11: what the process has in memory is part of what it measures.
#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "resident.hpp"
#include "workload.hpp"

namespace {

using bench::heaps::Job;
using bench::heaps::Measurement;

constexpr const char* usage =
    "usage: carbide_heap_bench_worker --allocator malloc|new|handle|known|hardened\n"
    "           --workload NAME [--threads N] [--operations N] [--seed N] [--trace FILE]\n"
    "       carbide_heap_bench_worker --whose-malloc\n";

[[noreturn]] void refuse(const char* argument) {
    std::fprintf(stderr, "carbide_heap_bench_worker: unexpected '%s'\n%s", argument, usage);
    std::exit(2);
}

std::uint64_t number_from(const char* text) {
    char* end = nullptr;
    const std::uint64_t number = std::strtoull(text, &end, 10);
    if (end == text || *end != '\0' || number == 0) refuse(text);
    return number;
}

struct Arguments {
    std::string_view allocator;
    Job job;
};

Arguments parse(int argc, char** argv) {
    Arguments arguments;
    for (int i = 1; i < argc; i += 2) {
        const std::string_view option = argv[i];
        if (i + 1 == argc) refuse(argv[i]);
        const char* const value = argv[i + 1];
        if (option == "--allocator") {
            arguments.allocator = value;
        } else if (option == "--workload") {
            arguments.job.workload = value;
        } else if (option == "--threads") {
            arguments.job.thread_count = static_cast<unsigned>(number_from(value));
        } else if (option == "--operations") {
            arguments.job.operation_count = number_from(value);
        } else if (option == "--seed") {
            arguments.job.seed = number_from(value);
        } else if (option == "--trace") {
            arguments.job.trace = value;
        } else {
            refuse(argv[i]);
        }
    }
    return arguments;
}

// The dynamic linker only warns about a library to preload that it cannot find, and goes on with
// the malloc of glibc: so the driver asks.
int print_whose_malloc() {
    Dl_info info{};
    void* const found = dlsym(RTLD_DEFAULT, "malloc");
    if (found == nullptr || dladdr(found, &info) == 0) return 1;
    std::puts(info.dli_fname);
    return 0;
}

bool run(const Arguments& arguments, Measurement& result) {
    using namespace bench::heaps;
    const Job& job = arguments.job;
    if (arguments.allocator == "malloc") return run_workload(MallocSource{}, job, result);
    if (arguments.allocator == "new") return run_workload(NewSource{}, job, result);
    carbide::ThreadCachingAllocator& heap = carbide::thread_caching_allocator();
    if (arguments.allocator == "handle") {
        return run_workload(HandleSource{heap.allocator()}, job, result);
    }
    if (arguments.allocator == "known") return run_workload(KnownSource{heap}, job, result);
    if (arguments.allocator == "hardened") {
        carbide::ThreadCachingAllocator hardened({.hardened = true});
        return run_workload(HandleSource{hardened.allocator()}, job, result);
    }
    return false;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 2 && std::strcmp(argv[1], "--whose-malloc") == 0) return print_whose_malloc();
    const Arguments arguments = parse(argc, argv);
    Measurement result;
    if (!run(arguments, result)) {
        std::fprintf(stderr, "carbide_heap_bench_worker: no such allocator or workload\n%s", usage);
        return 2;
    }
    std::printf(
        "{\"ns\": %.3f, \"cpu_ns\": %.3f, \"operations\": %llu, \"steady_bytes\": %zu, "
        "\"peak_bytes\": %zu, "
        "\"freed_bytes\": %zu, \"settled_bytes\": %zu}\n",
        result.ns, result.cpu_ns, static_cast<unsigned long long>(result.operation_count),
        result.steady_bytes, bench::heaps::resident_bytes_max(), result.freed_bytes,
        result.settled_bytes);
    return 0;
}
