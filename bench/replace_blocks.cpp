// SPDX-License-Identifier: MIT
#include "replace_blocks.hpp"

#include <chrono>
#include <vector>

#include "heaps/random.hpp"

namespace bench {
namespace {

using heaps::Random;

constexpr std::size_t live_count = 10'000;
constexpr std::size_t size_bytes_min = 16;
constexpr std::size_t size_bytes_max = std::size_t{16} << 10;
constexpr unsigned warm_up_count = 100'000;

std::size_t random_bytes(std::uint64_t random) {
    return size_bytes_min + (random >> 32) % (size_bytes_max - size_bytes_min + 1);
}

template <class Source>
void replace(const Source& source, Block& block, std::size_t size_bytes) {
    source.free(block);
    block = {source.alloc(size_bytes), size_bytes};
    block.memory[0] = std::byte{1};
}

// Never the last thing that a caller does, or the call would become a jump, and its frame be lost.
template <unsigned Depth, class Source>
[[gnu::noinline]] void replace_from_depth(const Source& source, std::vector<Block>& blocks,
                                          Random& random, unsigned count) {
    if constexpr (Depth == 0) {
        for (unsigned i = 0; i < count; ++i) {
            const std::uint64_t number = random.next();
            replace(source, blocks[number % live_count], random_bytes(number));
        }
    } else {
        replace_from_depth<Depth - 1>(source, blocks, random, count);
        asm volatile("" : : : "memory");
    }
}

template <class Source>
double measure(const Source& source, std::uint64_t seed, unsigned operation_count) {
    using Clock = std::chrono::steady_clock;
    Random random(seed);
    std::vector<Block> blocks;
    blocks.reserve(live_count);
    for (std::size_t i = 0; i < live_count; ++i) {
        const std::size_t size_bytes = random_bytes(random.next());
        blocks.push_back({source.alloc(size_bytes), size_bytes});
    }
    replace_from_depth<6>(source, blocks, random, warm_up_count);
    const Clock::time_point start = Clock::now();
    replace_from_depth<6>(source, blocks, random, operation_count);
    const std::chrono::duration<double, std::nano> taken = Clock::now() - start;
    for (const Block& block : blocks) source.free(block);
    return taken.count() / operation_count;
}

}  // namespace

double replace_blocks(const MallocSource& source, std::uint64_t seed, unsigned operation_count) {
    return measure(source, seed, operation_count);
}

double replace_blocks(const CarbideSource& source, std::uint64_t seed, unsigned operation_count) {
    return measure(source, seed, operation_count);
}

}  // namespace bench
