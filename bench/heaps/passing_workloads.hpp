// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>

#include "measure.hpp"

/// Workloads whose blocks are freed by another thread than allocated them.
namespace bench::heaps {

// --- Producer to consumer -----------------------------------------------------------------------

/// Blocks on their way from one thread to one other.
class Ring {
public:
    void put(Block block) {
        const std::size_t head = head_.load(std::memory_order_relaxed);
        wait_until([&] { return head - tail_.load(std::memory_order_acquire) < slot_count; });
        slots_[head % slot_count] = block;
        head_.store(head + 1, std::memory_order_release);
    }
    Block take() {
        const std::size_t tail = tail_.load(std::memory_order_relaxed);
        wait_until([&] { return head_.load(std::memory_order_acquire) != tail; });
        const Block block = slots_[tail % slot_count];
        tail_.store(tail + 1, std::memory_order_release);
        return block;
    }

private:
    static constexpr std::size_t slot_count = 1024;

    // Yields soon: with more threads than cores, the other one may be waiting for this core.
    template <class Condition>
    static void wait_until(const Condition& condition) {
        for (unsigned attempt = 0; !condition(); ++attempt) {
            if (attempt % 64 == 63) std::this_thread::yield();
        }
    }

    alignas(128) std::atomic<std::size_t> head_ = 0;
    alignas(128) std::atomic<std::size_t> tail_ = 0;
    alignas(128) Block slots_[slot_count];
};

inline constexpr Sizes passed_sizes{16, 1024};

template <class Source>
[[gnu::noinline]] void produce(Source source, Ring& ring, Random& random,
                               std::uint64_t operation_count) {
    for (std::uint64_t i = 0; i < operation_count; ++i) {
        const std::size_t size_bytes = size_from(random.next(), passed_sizes);
        std::byte* const memory = source.alloc(size_bytes);
        memory[0] = std::byte{1};
        ring.put({memory, size_bytes});
    }
}

/// Returns the sum of the first bytes: a consumer reads what it was given.
template <class Source>
[[gnu::noinline]] unsigned consume(Source source, Ring& ring, std::uint64_t operation_count) {
    unsigned sum = 0;
    for (std::uint64_t i = 0; i < operation_count; ++i) {
        const Block block = ring.take();
        sum += std::to_integer<unsigned>(block.memory[0]);
        source.free(block.memory, block.size_bytes);
    }
    return sum;
}

/// Half of the threads allocate, the other half frees, two by two.
template <class Source>
Measurement producer_consumer(Source source, const Job& job) {
    const unsigned pair_count = std::max(job.thread_count / 2, 1U);
    Measurement result;
    result.operation_count = job.operation_count * pair_count;
    const Table<Ring> rings(pair_count);
    std::vector<Span> spans(std::size_t{2} * pair_count);
    std::latch ready(2 * pair_count);
    {
        std::vector<std::jthread> threads;
        for (unsigned i = 0; i < pair_count; ++i) {
            Ring& ring = rings.entries()[i];
            threads.emplace_back([&, i] {
                Random random(job.seed + i);
                ready.arrive_and_wait();
                spans[2 * i] = timed([&] {
                    produce(source, ring, random, job.operation_count / 2);
                    if (i == 0) result.steady_bytes = resident_bytes();  // Halfway, blocks live.
                    produce(source, ring, random, job.operation_count - job.operation_count / 2);
                });
            });
            threads.emplace_back([&, i] {
                ready.arrive_and_wait();
                spans[2 * i + 1] = timed([&] {
                    if (consume(source, ring, job.operation_count) == 0) out_of_memory();
                });
            });
        }
    }
    result.freed_bytes = resident_bytes();
    set_times(result, spans, 2 * pair_count);
    return result;
}

// --- Larson's server ----------------------------------------------------------------------------

// Source: P. Larson, M. Krishnan: Memory Allocation for Long-Running Server Applications, 1998.
inline constexpr Sizes served_sizes{16, 1024};
inline constexpr std::size_t served_live_count = 1'000;
inline constexpr std::uint64_t served_by_one_thread = 10'000;

/// Blocks that are handed from thread to thread. Each starts its successor, as a server does that
/// has a thread for each request.
template <class Source>
class Lane {
public:
    Lane(Source source, const Job& job, unsigned index)
        : source_(source),
          blocks_(served_live_count),
          random_(job.seed + index),
          threads_(std::max<std::uint64_t>(job.operation_count / served_by_one_thread, 1)) {
        fill(source_, blocks_.entries(), random_, served_sizes);
    }

    [[nodiscard]] std::uint64_t operation_count() const {
        return threads_.size() * served_by_one_thread;
    }

    void start(std::size_t generation = 0) {
        threads_[generation] = std::thread([this, generation] {
            replace_randomly(source_, blocks_.entries(), random_, served_sizes,
                             served_by_one_thread);
            if (generation + 1 < threads_.size()) start(generation + 1);
        });
    }
    // A thread has written its successor to the table before it ends.
    void join() {
        for (std::thread& thread : threads_) thread.join();
    }
    void clean() { free_all(source_, blocks_.entries()); }

private:
    Source source_;
    Table<Block> blocks_;
    Random random_;
    std::vector<std::thread> threads_;
};

template <class Source>
Measurement larson(Source source, const Job& job) {
    Measurement result;
    std::vector<Lane<Source>> lanes;
    lanes.reserve(job.thread_count);  // They do not move once they have started.
    for (unsigned i = 0; i < job.thread_count; ++i) lanes.emplace_back(source, job, i);
    const Span span = timed(
        [&] {
            for (Lane<Source>& lane : lanes) lane.start();
            for (Lane<Source>& lane : lanes) lane.join();
        },
        CLOCK_PROCESS_CPUTIME_ID);
    result.steady_bytes = resident_bytes();
    for (Lane<Source>& lane : lanes) {
        result.operation_count += lane.operation_count();
        lane.clean();
    }
    result.freed_bytes = resident_bytes();
    set_times(result, std::span(&span, 1), job.thread_count);
    return result;
}

}  // namespace bench::heaps
