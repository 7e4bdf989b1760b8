// SPDX-License-Identifier: MIT
// Threads that pass blocks around, end and begin again; forks between them.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

#include "carbide/thread_caching_allocator.hpp"

namespace carbide {
namespace {

struct Block {
    unsigned char* memory = nullptr;
    std::size_t size_bytes = 0;
    unsigned char content = 0;
};

// What threads leave for each other.
class Exchange {
public:
    Block swap(std::size_t place, Block block) {
        const std::lock_guard guard(mutex_);
        return std::exchange(blocks_[place % blocks_.size()], block);
    }
    std::size_t size() const { return blocks_.size(); }

private:
    std::mutex mutex_;
    std::array<Block, 256> blocks_{};
};

std::size_t random_bytes(std::minstd_rand& random) {
    const auto number = random();
    if (number % 1000 == 0) return 1'000'000 + random() % 3'000'000;
    if (number % 100 == 0) return 30'000 + random() % 200'000;
    return random() % (number % 10 == 0 ? 20'000 : 300) + 1;
}

bool is_intact(const Block& block) {
    return block.memory[0] == block.content && block.memory[block.size_bytes - 1] == block.content;
}

bool pass_blocks_around(Allocator allocator, Exchange& exchange, unsigned seed, int count) {
    std::minstd_rand random(seed);
    for (int i = 0; i < count; ++i) {
        Block block{nullptr, random_bytes(random), static_cast<unsigned char>(random())};
        block.memory = static_cast<unsigned char*>(
            allocator.raw_alloc(block.size_bytes, std::align_val_t{16}));
        if (block.memory == nullptr) return false;
        block.memory[0] = block.memory[block.size_bytes - 1] = block.content;
        const Block other = exchange.swap(random(), block);
        if (other.memory == nullptr) continue;
        if (!is_intact(other)) return false;
        allocator.raw_free(other.memory, other.size_bytes, std::align_val_t{16});
    }
    return true;
}

void free_all(Allocator allocator, Exchange& exchange) {
    for (std::size_t i = 0; i < exchange.size(); ++i) {
        const Block block = exchange.swap(i, {});
        if (block.memory == nullptr) continue;
        CHECK(is_intact(block));
        allocator.raw_free(block.memory, block.size_bytes, std::align_val_t{16});
    }
}

TEST_CASE("thread caching: threads free each other's blocks, end, and begin again") {
    for (const bool hardened : {false, true}) {
        const unsigned seed = std::random_device{}();
        CAPTURE(seed);
        CAPTURE(hardened);
        ThreadCachingAllocator allocator(
            {.retained_bytes_max = std::size_t{1} << 20, .decay_ms = 1, .hardened = hardened});
        Exchange exchange;
        std::atomic<bool> stop = false;
        std::atomic<bool> all_well = true;
        std::jthread looker([&] {
            while (!stop) {
                if (!allocator.is_valid()) all_well = false;
                static_cast<void>(allocator.statistics());
                allocator.collect();
            }
        });
        for (unsigned round = 0; round < 4; ++round) {
            std::vector<std::jthread> threads;
            for (unsigned thread = 0; thread < 6; ++thread) {
                threads.emplace_back([&, thread, round] {
                    if (!pass_blocks_around(allocator.allocator(), exchange,
                                            seed + round * 100 + thread, 2000)) {
                        all_well = false;
                    }
                });
            }
        }
        stop = true;
        looker.join();
        CHECK(all_well);
        free_all(allocator.allocator(), exchange);
        CHECK(allocator.is_valid());
        CHECK(allocator.statistics().lent_bytes == 0);
    }
}

TEST_CASE("thread caching: 150 threads at a time have bins of their own") {
    ThreadCachingAllocator allocator;
    Exchange exchange;
    std::atomic<bool> all_well = true;
    std::atomic<bool> go = false;
    std::atomic<int> ready = 0;
    {
        std::vector<std::jthread> threads;
        for (unsigned thread = 0; thread < 150; ++thread) {
            threads.emplace_back([&, thread] {
                allocator.free(allocator.must_alloc<char>(100));
                ++ready;
                go.wait(false);
                if (!pass_blocks_around(allocator.allocator(), exchange, thread + 1, 200)) {
                    all_well = false;
                }
            });
        }
        while (ready != 150) std::this_thread::yield();
        if (!window_stays_closed()) CHECK(allocator.statistics().thread_count == 150);
        go = true;
        go.notify_all();
    }
    CHECK(all_well);
    free_all(allocator.allocator(), exchange);
    const HeapStatistics statistics = allocator.statistics();
    CHECK(statistics.thread_count <= 1);
    CHECK(statistics.lent_bytes == 0);
    CHECK(allocator.is_valid());
}

TEST_CASE("thread caching: a child forked between threads goes on, and has what they had cached") {
    ThreadCachingAllocator allocator;
    Exchange exchange;
    std::atomic<bool> stop = false;
    std::vector<std::jthread> threads;
    for (unsigned thread = 0; thread < 3; ++thread) {
        threads.emplace_back([&, thread] {
            for (unsigned i = 1; !stop; ++i) {
                pass_blocks_around(allocator.allocator(), exchange, thread * 1000 + i, 100);
            }
        });
    }
    for (unsigned i = 0; i < 20; ++i) {
        const pid_t pid = fork();
        REQUIRE(pid >= 0);
        if (pid == 0) {
            alarm(60);
            Exchange own;
            bool all_well = pass_blocks_around(allocator.allocator(), own, i + 1, 500);
            allocator.collect();
            all_well = all_well && allocator.is_valid() && allocator.statistics().thread_count <= 1;
#if !CARBIDE_ASAN && !defined(__SANITIZE_THREAD__)  // Their own locks may be held in the child.
            std::thread([&] {
                all_well = all_well && pass_blocks_around(allocator.allocator(), own, i, 500);
            }).join();
#endif
            _exit(all_well ? 0 : 1);
        }
        int status = 0;
        REQUIRE(waitpid(pid, &status, 0) == pid);
        CHECK(status == 0);
    }
    stop = true;
    threads.clear();
    free_all(allocator.allocator(), exchange);
    CHECK(allocator.is_valid());
}

TEST_CASE("thread caching: a thread may end after the allocator that it used") {
    for (int round = 0; round < 20; ++round) {
        std::atomic<int> step = 0;
        auto allocator = std::make_unique<ThreadCachingAllocator>();
        std::thread late([&] {
            allocator->free(allocator->must_alloc<char>(100));
            step = 1;
            step.notify_all();
            step.wait(1);
        });
        step.wait(0);
        std::thread ending([&] { allocator->free(allocator->must_alloc<char>(200)); });
        ending.join();
        allocator.reset();
        // Its place may be another allocator's by now.
        allocator = std::make_unique<ThreadCachingAllocator>();
        allocator->free(allocator->must_alloc<char>(300));
        step = 2;
        step.notify_all();
        late.join();
        CHECK(allocator->is_valid());
    }
}

TEST_CASE("thread caching: threads that use it first at the same time get one and the same") {
    for (int round = 0; round < 50; ++round) {
        ThreadCachingAllocator allocator;
        std::atomic<bool> go = false;
        std::vector<std::jthread> threads;
        std::array<void*, 4> blocks{};
        for (void*& block : blocks) {
            threads.emplace_back([&] {
                while (!go) {
                }
                block = allocator.must_alloc<char>(64).data();
            });
        }
        go = true;
        threads.clear();
        for (void* block : blocks) {
            REQUIRE(allocator.owns(block));
            REQUIRE(allocator.size_of(block) == 64);
        }
        REQUIRE(allocator.statistics().lent_bytes == 4 * 64);
    }
}

}  // namespace
}  // namespace carbide
