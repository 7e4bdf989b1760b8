// SPDX-License-Identifier: MIT
#pragma once

#include <time.h>

#include <algorithm>
#include <chrono>
#include <latch>
#include <optional>
#include <span>
#include <thread>
#include <vector>

#include "random.hpp"
#include "resident.hpp"
#include "workload.hpp"

/// What the workloads share: their blocks, and how they are timed.
namespace bench::heaps {

using Clock = std::chrono::steady_clock;

struct Block {
    std::byte* memory;
    std::size_t size_bytes;
};

struct Span {
    Clock::time_point start;
    Clock::time_point end;
    double cpu_ns;
};

inline double cpu_now_ns(clockid_t clock) {
    timespec time{};
    clock_gettime(clock, &time);
    return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

/// `clock`: whose processor time counts, of this thread or of the process.
template <class Work>
Span timed(Work&& work, clockid_t clock = CLOCK_THREAD_CPUTIME_ID) {
    const double cpu_start_ns = cpu_now_ns(clock);
    const Clock::time_point start = Clock::now();
    work();
    const Clock::time_point end = Clock::now();
    return {start, end, cpu_now_ns(clock) - cpu_start_ns};
}

/// Sets both times, for the operations that the result counts.
inline void set_times(Measurement& result, std::span<const Span> spans, unsigned thread_count) {
    Span all{spans[0].start, spans[0].end, 0};
    for (const Span& span : spans) {
        all = {std::min(all.start, span.start), std::max(all.end, span.end),
               all.cpu_ns + span.cpu_ns};
    }
    const unsigned core_count =
        std::min(thread_count, std::max(std::thread::hardware_concurrency(), 1U));
    const std::chrono::duration<double, std::nano> taken = all.end - all.start;
    const auto operation_count = static_cast<double>(result.operation_count);
    result.ns = taken.count() * core_count / operation_count;
    result.cpu_ns = all.cpu_ns / operation_count;
}

/// On every thread: prepares, works, waits until resident memory was taken, and cleans up. A single
/// thread is the main one, so that the process has no other.
template <class Prepare, class Work, class Clean>
Measurement on_threads(const Job& job, const Prepare& prepare, const Work& work,
                       const Clean& clean) {
    Measurement result;
    result.operation_count = job.operation_count * job.thread_count;
    std::vector<Span> spans(job.thread_count);
    if (job.thread_count == 1) {
        auto state = prepare(job.seed);
        spans[0] = timed([&] { work(state); });
        result.steady_bytes = resident_bytes();
        clean(state);
    } else {
        std::latch ready(job.thread_count);
        std::latch done(job.thread_count + 1);
        std::latch sampled(1);
        std::vector<std::jthread> threads;
        for (unsigned i = 0; i < job.thread_count; ++i) {
            threads.emplace_back([&, i] {
                auto state = prepare(job.seed + i);
                ready.arrive_and_wait();
                spans[i] = timed([&] { work(state); });
                done.arrive_and_wait();
                sampled.wait();
                clean(state);
            });
        }
        done.arrive_and_wait();
        result.steady_bytes = resident_bytes();
        sampled.count_down();
    }
    result.freed_bytes = resident_bytes();
    set_times(result, spans, job.thread_count);
    return result;
}

template <class Source>
void fill(Source source, std::span<Block> blocks, Random& random, Sizes sizes) {
    for (Block& block : blocks) {
        const std::size_t size_bytes = size_from(random.next(), sizes);
        block = {source.alloc(size_bytes), size_bytes};
        block.memory[0] = std::byte{1};
    }
}

template <class Source>
void free_all(Source source, std::span<Block> blocks) {
    for (const Block& block : blocks) source.free(block.memory, block.size_bytes);
}

template <class Source>
[[gnu::always_inline]] inline void replace(Source source, Block& block, std::size_t size_bytes) {
    source.free(block.memory, block.size_bytes);
    block = {source.alloc(size_bytes), size_bytes};
    block.memory[0] = std::byte{1};
}

/// Each operation frees a random block and allocates another in its place.
template <class Source>
[[gnu::noinline]] void replace_randomly(Source source, std::span<Block> blocks, Random& random,
                                        Sizes sizes, std::uint64_t operation_count) {
    for (std::uint64_t i = 0; i < operation_count; ++i) {
        const std::uint64_t number = random.next();
        replace(source, blocks[index_from(number, blocks.size())], size_from(number, sizes));
    }
}

}  // namespace bench::heaps
