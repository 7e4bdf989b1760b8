// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "sources.hpp"

namespace bench::heaps {

/// What one process of the worker does.
struct Job {
    std::string_view workload;
    unsigned thread_count = 1;
    std::uint64_t operation_count = 1'000'000;  // A thread; `producer-consumer`: a pair of them.
    std::uint64_t seed = 1;
    const char* trace = "";
};

/// What it found. Resident memory is all of the process, with the program and its tables.
struct Measurement {
    // For one operation, an allocation and a free: the time that passed, times the cores that the
    // threads could use; it would stay the same if the allocator scaled ideally.
    double ns = 0;
    double cpu_ns = 0;  // The processor's time for it, which other processes disturb less.
    std::uint64_t operation_count = 0;
    std::size_t steady_bytes = 0;   // While the blocks are live.
    std::size_t freed_bytes = 0;    // Just after all of them were freed.
    std::size_t settled_bytes = 0;  // A second later; only `peak` waits for it.
};

/// False where there is no workload of this name. Each is compiled on its own, and none sees what
/// heap the handle leads to.
bool run_workload(MallocSource source, const Job& job, Measurement& result);
bool run_workload(NewSource source, const Job& job, Measurement& result);
bool run_workload(HandleSource source, const Job& job, Measurement& result);
bool run_workload(KnownSource source, const Job& job, Measurement& result);

}  // namespace bench::heaps
