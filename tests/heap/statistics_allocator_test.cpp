// SPDX-License-Identifier: MIT
#include "carbide/statistics_allocator.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cstdint>
#include <numeric>
#include <span>
#include <string_view>
#include <thread>
#include <vector>

#include "carbide/c_allocator.hpp"
#include "support/child_process.hpp"
#include "support/recording_heap.hpp"

namespace carbide {
namespace {

using Bytes = std::span<std::byte>;

TEST_CASE("statistics: an unused one is all zero") {
    StatisticsAllocator statistics({.backing = c_allocator()});
    const Statistics snapshot = statistics.statistics();
    CHECK(snapshot.current_bytes == 0);
    CHECK(snapshot.peak_bytes == 0);
    CHECK(snapshot.total_bytes == 0);
    CHECK(snapshot.alloc_count == 0);
    CHECK(snapshot.resize_count == 0);
    CHECK(snapshot.free_count == 0);
    CHECK(snapshot.failed_alloc_count == 0);
    CHECK(snapshot.failed_resize_count == 0);
    CHECK(snapshot.live_count() == 0);
    CHECK(std::accumulate(snapshot.histogram.begin(), snapshot.histogram.end(), std::size_t{0}) ==
          0);
}

TEST_CASE("statistics: current falls with frees, peak and total do not") {
    StatisticsAllocator statistics({.backing = c_allocator()});
    const Allocator handle = statistics.allocator();
    const Bytes first = handle.must_alloc<std::byte>(100);
    const Bytes second = handle.must_alloc<std::byte>(50);
    CHECK(statistics.live_count() == 2);
    handle.free(first);
    const Bytes third = handle.must_alloc<std::byte>(30);
    const Statistics snapshot = statistics.statistics();
    CHECK(snapshot.current_bytes == 80);
    CHECK(snapshot.peak_bytes == 150);
    CHECK(snapshot.total_bytes == 180);
    CHECK(snapshot.alloc_count == 3);
    CHECK(snapshot.free_count == 1);
    CHECK(snapshot.live_count() == 2);
    handle.free(second);
    handle.free(third);
    CHECK(statistics.statistics().current_bytes == 0);
    CHECK(statistics.live_count() == 0);
}

TEST_CASE("statistics: resizes count by the difference") {
    tests::RecordingHeap backing;
    backing.can_resize = backing.can_remap = true;
    StatisticsAllocator statistics({.backing = backing.allocator()});
    const Allocator handle = statistics.allocator();
    const Bytes slice = handle.must_alloc<std::byte>(100);
    REQUIRE(handle.resize(slice, 150));
    CHECK(statistics.statistics().current_bytes == 150);
    REQUIRE(handle.resize(Bytes(slice.data(), 150), 20));
    CHECK(statistics.statistics().current_bytes == 20);
    const auto moved = handle.remap(Bytes(slice.data(), 20), 60);
    REQUIRE(moved.has_value());
    const Statistics snapshot = statistics.statistics();
    CHECK(snapshot.current_bytes == 60);
    CHECK(snapshot.peak_bytes == 150);
    CHECK(snapshot.total_bytes == 190);
    CHECK(snapshot.resize_count == 3);
    CHECK(snapshot.alloc_count == 1);
    handle.free(*moved);
    CHECK(statistics.statistics().current_bytes == 0);
}

TEST_CASE("statistics: what failed counts as failed and nowhere else") {
    tests::RecordingHeap backing;
    StatisticsAllocator statistics({.backing = backing.allocator()});
    const Allocator handle = statistics.allocator();
    const Bytes slice = handle.must_alloc<std::byte>(10);
    backing.can_alloc = false;
    CHECK_FALSE(handle.alloc<std::byte>(1000).has_value());
    CHECK_FALSE(handle.resize(slice, 5));
    CHECK_FALSE(handle.resize(slice, 20));
    CHECK_FALSE(handle.remap(slice, 20).has_value());
    const Statistics snapshot = statistics.statistics();
    CHECK(snapshot.failed_alloc_count == 1);
    CHECK(snapshot.failed_resize_count == 3);
    CHECK(snapshot.alloc_count == 1);
    CHECK(snapshot.resize_count == 0);
    CHECK(snapshot.current_bytes == 10);
    CHECK(snapshot.peak_bytes == 10);
    CHECK(snapshot.total_bytes == 10);
    CHECK(snapshot.histogram[Statistics::bucket_of(1000)] == 0);
    handle.free(slice);
}

TEST_CASE("statistics: buckets begin at powers of two") {
    CHECK(Statistics::bucket_count == 65);
    CHECK(Statistics::bucket_of(0) == 0);
    CHECK(Statistics::bucket_of(1) == 1);
    CHECK(Statistics::bucket_of(SIZE_MAX) == 64);
    for (std::size_t bucket = 2; bucket <= 64; ++bucket) {
        const std::size_t least = std::size_t{1} << (bucket - 1);
        CHECK(Statistics::bucket_of(least) == bucket);
        CHECK(Statistics::bucket_of(least - 1) == bucket - 1);
    }
}

TEST_CASE("statistics: the histogram holds each successful alloc once") {
    tests::RecordingHeap backing;
    backing.can_resize = true;
    StatisticsAllocator statistics({.backing = backing.allocator()});
    const Allocator handle = statistics.allocator();
    for (const std::size_t size_bytes : {1u, 7u, 8u, 15u, 16u, 1000u}) {
        const Bytes slice = handle.must_alloc<std::byte>(size_bytes);
        REQUIRE(handle.resize(slice, 2000));
        handle.free(Bytes(slice.data(), 2000));
    }
    const auto histogram = statistics.statistics().histogram;
    CHECK(histogram[1] == 1);
    CHECK(histogram[3] == 1);
    CHECK(histogram[4] == 2);
    CHECK(histogram[5] == 1);
    CHECK(histogram[10] == 1);
    CHECK(std::accumulate(histogram.begin(), histogram.end(), std::size_t{0}) == 6);
}

TEST_CASE("statistics: requests for 0 bytes are not counted") {
    StatisticsAllocator statistics({.backing = c_allocator()});
    statistics.allocator().free(statistics.allocator().must_alloc<int>(0));
    CHECK(statistics.statistics().alloc_count == 0);
    CHECK(statistics.statistics().free_count == 0);
    CHECK(statistics.statistics().histogram[0] == 0);
}

TEST_CASE("statistics: a reset peak is that of the phase after it") {
    StatisticsAllocator statistics({.backing = c_allocator()});
    const Allocator handle = statistics.allocator();
    const Bytes kept = handle.must_alloc<std::byte>(10);
    handle.free(handle.must_alloc<std::byte>(1000));
    CHECK(statistics.statistics().peak_bytes == 1010);
    statistics.reset_peak();
    CHECK(statistics.statistics().peak_bytes == 10);
    handle.free(handle.must_alloc<std::byte>(100));
    CHECK(statistics.statistics().peak_bytes == 110);
    statistics.reset_peak();
    handle.free(kept);
    CHECK(statistics.statistics().peak_bytes == 10);
    CHECK(statistics.statistics().current_bytes == 0);
}

// Looks at the statistics of the allocator above it while it is being called.
class WatchingHeap : public HeapOperations<WatchingHeap> {
public:
    WatchingHeap() noexcept : HeapOperations("watching") {}

    const StatisticsAllocator* watched = nullptr;
    Statistics seen_in_alloc;
    Statistics seen_in_free;

private:
    friend HeapOperations;

    static void* slow_alloc(Heap& heap, std::size_t size_bytes,
                            std::align_val_t alignment) noexcept {
        self(heap).seen_in_alloc = self(heap).watched->statistics();
        return c_allocator().raw_alloc(size_bytes, alignment);
    }
    static bool slow_resize(Heap&, void*, std::size_t, std::size_t, std::align_val_t) noexcept {
        return false;
    }
    static void* slow_remap(Heap&, void*, std::size_t, std::size_t, std::align_val_t) noexcept {
        return nullptr;
    }
    static void slow_free(Heap& heap, void* memory, std::size_t size_bytes,
                          std::align_val_t alignment) noexcept {
        self(heap).seen_in_free = self(heap).watched->statistics();
        c_allocator().raw_free(memory, size_bytes, alignment);
    }
};

TEST_CASE("statistics: an allocation counts from after its alloc until before its free") {
    WatchingHeap watching;
    StatisticsAllocator statistics({.backing = watching.allocator()});
    watching.watched = &statistics;
    statistics.allocator().free(statistics.allocator().must_alloc<std::byte>(10));
    CHECK(watching.seen_in_alloc.current_bytes == 0);
    CHECK(watching.seen_in_alloc.live_count() == 0);
    CHECK(watching.seen_in_free.current_bytes == 0);
    CHECK(watching.seen_in_free.live_count() == 0);
    CHECK(watching.seen_in_free.peak_bytes == 10);
}

TEST_CASE("statistics: alignments reach the backing unchanged and are not counted as bytes") {
    tests::RecordingHeap backing;
    StatisticsAllocator statistics({.backing = backing.allocator()});
    for (std::size_t alignment_bytes = 1; alignment_bytes <= 65536; alignment_bytes *= 2) {
        const std::align_val_t alignment{alignment_bytes};
        void* const memory = statistics.allocator().raw_alloc(24, alignment);
        REQUIRE(memory != nullptr);
        CHECK(backing.newest == tests::RecordingHeap::Lent{24, alignment_bytes});
        CHECK(statistics.statistics().current_bytes == 24);
        statistics.allocator().raw_free(memory, 24, alignment);
    }
    CHECK(backing.mistake.empty());
}

TEST_CASE("statistics: more bytes freed than lent stop the program") {
    const Bytes foreign = c_allocator().must_alloc<std::byte>(100);
    StatisticsAllocator statistics({.backing = c_allocator()});
    const auto result = tests::run_in_child([&] { statistics.allocator().free(foreign); });
    CHECK(result.trapped());
    CHECK(result.wrote("more bytes were freed through a StatisticsAllocator than it had lent out"));
    c_allocator().free(foreign);
}

TEST_CASE("statistics: its name is the one in the options") {
    StatisticsAllocator plain({.backing = c_allocator()});
    StatisticsAllocator named({.backing = c_allocator(), .name = "parser"});
    CHECK(std::string_view(plain.name()) == "statistics");
    CHECK(std::string_view(named.name()) == "parser");
}

// Lends and frees blocks of 1 to 50 bytes, at most eight at a time.
void churn(Allocator allocator, std::size_t round_count) {
    std::vector<Bytes> held;
    for (std::size_t round = 0; round < round_count; ++round) {
        held.push_back(allocator.must_alloc<std::byte>(1 + round % 50));
        if (round % 3 == 0) {
            const auto grown = allocator.realloc(held.back(), held.back().size() + 20);
            held.back() = grown.value_or(held.back());
        }
        if (held.size() < 8) continue;
        for (const Bytes& slice : held) allocator.free(slice);
        held.clear();
    }
    for (const Bytes& slice : held) allocator.free(slice);
}

bool is_consistent(const Statistics& snapshot) {
    return snapshot.current_bytes <= snapshot.peak_bytes &&
           snapshot.current_bytes <= snapshot.total_bytes &&
           snapshot.free_count <= snapshot.alloc_count;
}

TEST_CASE("statistics: sums over many threads are exact, and every snapshot is consistent") {
    constexpr std::size_t thread_count = 3;
    constexpr std::size_t round_count = 1000;
    StatisticsAllocator statistics({.backing = c_allocator()});
    std::atomic<bool> done = false;
    bool consistent = true;
    std::jthread observer([&] {
        while (!done) {
            consistent = consistent && is_consistent(statistics.statistics()) &&
                         statistics.live_count() <= thread_count * 9;
        }
    });
    {
        std::vector<std::jthread> threads;
        for (std::size_t thread = 0; thread < thread_count; ++thread) {
            threads.emplace_back([&] { churn(statistics.allocator(), round_count); });
        }
    }
    done = true;
    observer.join();
    CHECK(consistent);

    const Statistics snapshot = statistics.statistics();
    CHECK(snapshot.current_bytes == 0);
    CHECK(snapshot.live_count() == 0);
    CHECK(snapshot.alloc_count >= thread_count * round_count);
    CHECK(snapshot.alloc_count == snapshot.free_count);
    CHECK(snapshot.peak_bytes <= thread_count * 9 * 70);
    CHECK(std::accumulate(snapshot.histogram.begin(), snapshot.histogram.end(), std::size_t{0}) ==
          snapshot.alloc_count);
}

}  // namespace
}  // namespace carbide
