// SPDX-License-Identifier: MIT
// What a fork finds half done. tests/models has the same as models, in every interleaving.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <optional>
#include <random>
#include <thread>
#include <vector>

#include "carbide/thread_caching_allocator.hpp"

namespace carbide {
namespace {

constexpr std::align_val_t alignment{16};

#if CARBIDE_ASAN || defined(__SANITIZE_THREAD__)
constexpr bool is_sanitized = true;
#else
constexpr bool is_sanitized = false;
#endif

// Each block holds its size. False where another was lent the same memory.
bool churn(Allocator allocator, unsigned seed, int count) {
    struct Block {
        std::uint32_t* memory;
        std::uint32_t size_bytes;
    };
    bool all_well = true;
    std::minstd_rand random(seed);
    std::vector<Block> blocks;
    const auto free_last = [&] {
        const Block block = blocks.back();
        blocks.pop_back();
        if (block.memory[0] != block.size_bytes) all_well = false;
        if (block.memory[block.size_bytes / 4 - 1] != block.size_bytes) all_well = false;
        allocator.raw_free(block.memory, block.size_bytes, alignment);
    };
    for (int i = 0; i < count; ++i) {
        if (blocks.size() < 2000 && random() % 2 == 0) {
            const auto size_bytes = static_cast<std::uint32_t>(16 + random() % 125 * 4);
            auto* const memory =
                static_cast<std::uint32_t*>(allocator.raw_alloc(size_bytes, alignment));
            memory[0] = memory[size_bytes / 4 - 1] = size_bytes;
            blocks.push_back({memory, size_bytes});
        } else if (!blocks.empty()) {
            std::swap(blocks[random() % blocks.size()], blocks.back());
            free_last();
        }
    }
    while (!blocks.empty()) free_last();
    return all_well;
}

bool child_is_well(const std::function<bool()>& body) {
    const pid_t pid = fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
        alarm(60);
        _exit(body() ? 0 : 1);
    }
    int status = 0;
    REQUIRE(waitpid(pid, &status, 0) == pid);
    return status == 0;
}

#ifndef __SANITIZE_THREAD__  // Which allows no thread in a child that was forked among threads.
TEST_CASE("thread caching: the bins of a child's own threads are no orphans") {
    ThreadCachingAllocator allocator;
    churn(allocator.allocator(), 1, 1000);
    for (int round = 0; round < 3; ++round) {
        CHECK(child_is_well([&] {
            std::atomic<bool> all_well = true;
            {
                std::vector<std::jthread> threads;
                for (unsigned i = 0; i < 4; ++i) {
                    threads.emplace_back([&, i] {
                        if (!churn(allocator.allocator(), i + 7, 100'000)) all_well = false;
                    });
                }
                if (!churn(allocator.allocator(), 99, 100'000)) all_well = false;
            }
            return all_well && allocator.is_valid();
        }));
    }
}
#endif

TEST_CASE("thread caching: a child has no slot twice, however busy the parent's threads are") {
    ThreadCachingAllocator allocator;
    std::atomic<bool> stop = false;
    std::vector<std::jthread> threads;
    for (int i = 0; i < 3; ++i) {
        threads.emplace_back([&] {
            std::vector<void*> blocks;
            while (!stop) {
                for (int k = 0; k < 3000; ++k) {
                    blocks.push_back(allocator.allocator().raw_alloc(64, alignment));
                }
                for (void* block : blocks) allocator.allocator().raw_free(block, 64, alignment);
                blocks.clear();
            }
        });
    }
    for (int round = 0; round < 60; ++round) {
        CHECK(child_is_well([&] {
            allocator.collect();
            if (!allocator.is_valid()) return false;
            // A sanitizer's malloc, which the vector needs, may be locked for ever in the child.
            return is_sanitized || churn(allocator.allocator(), 1, 2000);
        }));
    }
    stop = true;
}

TEST_CASE("thread caching: a child may destroy an allocator whose threads were ending") {
    for (int round = 0; round < 60; ++round) {
        std::optional<ThreadCachingAllocator> allocator(std::in_place);
        std::vector<std::jthread> threads;
        for (unsigned i = 0; i < 4; ++i) {
            threads.emplace_back([&, i] { churn(allocator->allocator(), i + 1, 2000); });
        }
        usleep(static_cast<useconds_t>(100 + round * 10));
        CHECK(child_is_well([&] {
            allocator.reset();
            return true;
        }));
        threads.clear();
    }
}

}  // namespace
}  // namespace carbide
