// SPDX-License-Identifier: MIT
// Memory goes back: to the system while and after a program frees it, and to others when a thread
// ends.
#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <random>
#include <span>
#include <thread>
#include <vector>

#include "carbide/limit_allocator.hpp"
#include "carbide/thread_caching_allocator.hpp"
#include "support/address_space.hpp"
#include "support/child_process.hpp"

namespace carbide {
namespace {

constexpr std::size_t mebibyte = std::size_t{1} << 20;

// A sanitizer takes memory of its own for each byte.
constexpr std::size_t peak_bytes = (checked_build ? 256 : 1024) * mebibyte;

struct Block {
    char* memory;
    std::size_t size_bytes;
};

// Blocks of `sum_bytes` together, every page of them written.
std::vector<Block> take_blocks(Allocator allocator, std::size_t sum_bytes,
                               std::size_t size_bytes_max, unsigned seed) {
    std::minstd_rand random(seed);
    std::vector<Block> blocks;
    for (std::size_t taken_bytes = 0; taken_bytes < sum_bytes;) {
        const std::size_t size_bytes = random() % size_bytes_max + 1;
        char* const memory = allocator.must_alloc<char>(size_bytes).data();
        for (std::size_t i = 0; i < size_bytes; i += 4096) memory[i] = 'x';
        blocks.push_back({memory, size_bytes});
        taken_bytes += size_bytes;
    }
    return blocks;
}

void free_blocks(Allocator allocator, std::vector<Block>& blocks, unsigned seed) {
    std::shuffle(blocks.begin(), blocks.end(), std::minstd_rand(seed));
    for (const Block& block : blocks) allocator.free(std::span(block.memory, block.size_bytes));
    blocks.clear();
}

TEST_CASE("giving back: after a peak of 1 GiB less than 16 MiB stay resident, without a call") {
    for (const std::size_t size_bytes_max : {300U, 16'384U, 100'000U, 3'000'000U}) {
        CAPTURE(size_bytes_max);
        ThreadCachingAllocator allocator;
        auto blocks = take_blocks(allocator.allocator(), peak_bytes, size_bytes_max, 1);
        CHECK(allocator.statistics().resident_bytes > peak_bytes / 3 * 2);
        free_blocks(allocator.allocator(), blocks, 2);
        CHECK(allocator.statistics().lent_bytes == 0);
        CHECK(allocator.statistics().resident_bytes < 16 * mebibyte);
        CHECK(allocator.is_valid());
    }
}

TEST_CASE("giving back: so it is where four threads share the peak") {
    ThreadCachingAllocator allocator;
    std::vector<std::jthread> threads;
    for (unsigned thread = 0; thread < 4; ++thread) {
        threads.emplace_back([&allocator, thread] {
            auto blocks = take_blocks(allocator.allocator(), 64 * mebibyte, 2000, thread + 1);
            free_blocks(allocator.allocator(), blocks, thread + 1);
        });
    }
    threads.clear();
    CHECK(allocator.statistics().resident_bytes < 16 * mebibyte);
    CHECK(allocator.is_valid());
}

TEST_CASE("giving back: collect leaves nothing but bookkeeping, and says how much it gave") {
    ThreadCachingAllocator allocator({.retained_bytes_max = 64 * mebibyte, .decay_ms = 1'000'000});
    auto blocks = take_blocks(allocator.allocator(), 32 * mebibyte, 100'000, 1);
    free_blocks(allocator.allocator(), blocks, 1);
    const std::size_t before_bytes = allocator.statistics().resident_bytes;
    CHECK(before_bytes > 8 * mebibyte);
    const std::size_t given_bytes = allocator.collect();
    const HeapStatistics after = allocator.statistics();
    CHECK(after.resident_bytes < mebibyte);
    CHECK(after.chunk_count == 0);
    CHECK(after.cached_bytes == 0);
    CHECK(given_bytes >= before_bytes - after.resident_bytes - mebibyte);
    CHECK(allocator.collect() == 0);
    CHECK(allocator.is_valid());
}

TEST_CASE(
    "giving back: where any amount may be retained, what was freed stays until it is collected") {
    ThreadCachingAllocator allocator({.retained_bytes_max = SIZE_MAX, .decay_ms = 1'000'000});
    auto blocks = take_blocks(allocator.allocator(), 32 * mebibyte, 100'000, 1);
    free_blocks(allocator.allocator(), blocks, 1);
    CHECK(allocator.statistics().resident_bytes > 24 * mebibyte);
    CHECK(allocator.collect() > 24 * mebibyte);
}

TEST_CASE("giving back: collect keeps what is lent out, to the byte") {
    ThreadCachingAllocator allocator;
    std::vector<std::span<unsigned char>> kept;
    for (std::size_t i = 0; i < 20'000; ++i) {
        const auto block = allocator.must_alloc<unsigned char>(i % 700 + 1);
        std::ranges::fill(block, static_cast<unsigned char>(i));
        if (i % 50 == 0) {
            kept.push_back(block);
        } else {
            allocator.free(block);
        }
        if (i % 4000 == 0) allocator.collect();
    }
    CHECK(allocator.collect() > 0);
    for (std::size_t i = 0; i < kept.size(); ++i) {
        const auto expected = static_cast<unsigned char>(i * 50);
        REQUIRE(std::ranges::all_of(kept[i], [&](unsigned char byte) { return byte == expected; }));
        allocator.free(kept[i]);
    }
    CHECK(allocator.is_valid());
}

TEST_CASE("giving back: what was not used for the decay time goes with a later slow call") {
    ThreadCachingAllocator allocator({.retained_bytes_max = 256 * mebibyte, .decay_ms = 20});
    auto blocks = take_blocks(allocator.allocator(), 64 * mebibyte, 200'000, 1);
    free_blocks(allocator.allocator(), blocks, 1);
    CHECK(allocator.statistics().resident_bytes > 32 * mebibyte);
    std::this_thread::sleep_for(std::chrono::milliseconds(60));
    // Slow calls: bins of one size that are filled and emptied.
    for (int round = 0; round < 200; ++round) {
        std::vector<std::span<char>> some;
        for (int i = 0; i < 200; ++i) some.push_back(allocator.must_alloc<char>(2048));
        for (const auto& block : some) allocator.free(block);
    }
    CHECK(allocator.statistics().resident_bytes < 16 * mebibyte);
}

TEST_CASE("giving back: threads that come and go by the thousand leave nothing behind") {
    ThreadCachingAllocator allocator;
    const auto run_threads = [&](unsigned count) {
        for (unsigned i = 0; i < count; ++i) {
            std::thread([&] {
                auto blocks = take_blocks(allocator.allocator(), 100'000, 2000, i + 1);
                free_blocks(allocator.allocator(), blocks, i + 1);
            }).join();
        }
    };
    run_threads(50);
    const HeapStatistics early = allocator.statistics();
    const std::size_t early_mappings = tests::mapping_count();
    run_threads(1000);
    const HeapStatistics late = allocator.statistics();
    CHECK(late.thread_count == early.thread_count);
    CHECK(late.lent_bytes == 0);
    for (const auto& size_class : late.size_classes) CHECK(size_class.binned_count == 0);
    CHECK(late.mapped_bytes <= early.mapped_bytes);
    CHECK(tests::mapping_count() <= early_mappings + 4);
}

TEST_CASE("giving back: where a budget is used up, caches are given up for a request") {
    LimitAllocator budget({.backing = page_allocator(), .limit_bytes = 10 * mebibyte});
    ThreadCachingAllocator allocator({.backing = budget.allocator(), .decay_ms = 1'000'000});
    // Slots of one size take both chunks that the budget has room for ...
    std::vector<std::span<char>> blocks;
    for (;;) {
        const auto block = allocator.alloc<char>(1000);
        if (!block.has_value()) break;
        blocks.push_back(*block);
    }
    CHECK(blocks.size() > 7000);
    CHECK_FALSE(allocator.alloc<char>(20'000).has_value());
    // ... and are free for another size, or a huge allocation, once they are freed.
    for (const auto& block : blocks) allocator.free(block);
    for (const std::size_t size_bytes : {20'000UL, 500'000UL, 5 * mebibyte}) {
        const auto block = allocator.alloc<char>(size_bytes);
        REQUIRE(block.has_value());
        allocator.free(*block);
    }
}

TEST_CASE("giving back: the destructor gives back what is still lent out") {
    const std::size_t before = tests::mapped_page_count();
    {
        ThreadCachingAllocator allocator;
        static_cast<void>(take_blocks(allocator.allocator(), 16 * mebibyte, 3'000'000, 1));
        static_cast<void>(allocator.must_alloc<char>(100));
        CHECK(tests::mapped_page_count() > before + 2000);
    }
    CHECK(tests::mapped_page_count() <= before + 512);
}

}  // namespace
}  // namespace carbide
