// SPDX-License-Identifier: MIT
// What a server does in a day, in seconds: the mix of sizes and the number of blocks drift, threads
// come and go, memory is collected now and then. Every block is checked when it is freed.
#include <doctest/doctest.h>

#include <cstring>
#include <random>
#include <thread>
#include <vector>

#include "carbide/thread_caching_allocator.hpp"

namespace carbide {
namespace {

// Ten million operations; fewer where each is checked by a sanitizer.
constexpr int shift_count = checked_build ? 8 : 40;
constexpr int operation_count = checked_build ? 10'000 : 60'000;

struct Block {
    unsigned char* memory;
    std::size_t size_bytes;
    std::align_val_t alignment;
    unsigned char content;
};

// One thread, for one shift. What it leaves is the next one's.
class Worker {
public:
    Worker(Allocator allocator, std::uint32_t seed, std::vector<Block>& blocks)
        : allocator_(allocator), random_(seed), blocks_(blocks) {}

    bool run() {
        const std::size_t target_count = 1 + random_() % 4000;
        const auto size_shift = static_cast<unsigned>(4 + random_() % 12);
        for (int i = 0; i < operation_count; ++i) {
            const bool frees = blocks_.size() > random_() % (2 * target_count);
            if (frees ? !free_one() : !alloc_one(size_shift)) return false;
        }
        return true;
    }

private:
    bool alloc_one(unsigned size_shift) {
        std::size_t size_bytes = 1 + (random_() >> (random_() % size_shift)) % (1U << size_shift);
        if (random_() % 4096 == 0) size_bytes *= 100;
        const std::align_val_t alignment{std::size_t{1}
                                         << (random_() % 64 == 0 ? random_() % 13 : random_() % 5)};
        const auto content = static_cast<unsigned char>(random_());
        auto* const memory =
            static_cast<unsigned char*>(allocator_.raw_alloc(size_bytes, alignment));
        if (memory == nullptr) return false;
        if (reinterpret_cast<std::uintptr_t>(memory) % static_cast<std::size_t>(alignment) != 0) {
            return false;
        }
        std::memset(memory, content, size_bytes < 64 ? size_bytes : 64);
        memory[size_bytes - 1] = content;
        blocks_.push_back({memory, size_bytes, alignment, content});
        return true;
    }

    bool free_one() {
        std::swap(blocks_[random_() % blocks_.size()], blocks_.back());
        const Block block = blocks_.back();
        blocks_.pop_back();
        const std::size_t written_bytes = block.size_bytes < 64 ? block.size_bytes : 64;
        for (std::size_t i = 0; i < written_bytes; ++i) {
            if (block.memory[i] != block.content) return false;
        }
        if (block.memory[block.size_bytes - 1] != block.content) return false;
        allocator_.raw_free(block.memory, block.size_bytes, block.alignment);
        return true;
    }

    Allocator allocator_;
    std::minstd_rand random_;
    std::vector<Block>& blocks_;
};

TEST_CASE("thread caching: a day's work leaves every block as it was, and nothing behind") {
    const std::uint32_t seed = std::random_device{}();
    CAPTURE(seed);
    ThreadCachingAllocator allocator({.decay_ms = 10});
    constexpr std::size_t thread_count = 4;
    std::vector<Block> blocks[thread_count];
    for (int shift = 0; shift < shift_count; ++shift) {
        CAPTURE(shift);
        bool all_well[thread_count] = {};
        {
            std::vector<std::jthread> threads;
            for (std::size_t i = 0; i < thread_count; ++i) {
                threads.emplace_back([&, i] {
                    const auto own_seed = static_cast<std::uint32_t>(
                        seed + static_cast<unsigned>(shift) * thread_count + i);
                    all_well[i] = Worker(allocator.allocator(), own_seed, blocks[i]).run();
                });
            }
        }
        for (const bool was_well : all_well) REQUIRE(was_well);
        std::swap(blocks[0], blocks[static_cast<std::size_t>(shift) % thread_count]);
        if (shift % 5 == 0) allocator.collect();
        REQUIRE(allocator.is_valid());
    }
    for (std::vector<Block>& some : blocks) {
        for (const Block& block : some) {
            allocator.raw_free(block.memory, block.size_bytes, block.alignment);
        }
    }
    CHECK(allocator.statistics().lent_bytes == 0);
    CHECK(allocator.statistics().resident_bytes < std::size_t{16} << 20);
    CHECK(allocator.is_valid());
}

}  // namespace
}  // namespace carbide
