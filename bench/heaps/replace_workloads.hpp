// SPDX-License-Identifier: MIT
#pragma once

#include "measure.hpp"

/// Workloads that replace blocks of sizes that only the program's run tells.
namespace bench::heaps {

inline constexpr Sizes replaced_sizes{16, std::size_t{16} << 10};

struct Replacing {
    Table<Block> blocks;
    Random random;
};

/// `live_count` blocks a thread. The first operations are not timed: after them, what is free lies
/// between what is live.
template <class Source>
Measurement replace_live(Source source, const Job& job, std::size_t live_count) {
    return on_threads(
        job,
        [&](std::uint64_t seed) {
            Replacing state{Table<Block>(live_count), Random(seed)};
            fill(source, state.blocks.entries(), state.random, replaced_sizes);
            replace_randomly(source, state.blocks.entries(), state.random, replaced_sizes,
                             std::max<std::size_t>(live_count, 100'000));
            return state;
        },
        [&](Replacing& state) {
            replace_randomly(source, state.blocks.entries(), state.random, replaced_sizes,
                             job.operation_count);
        },
        [&](Replacing& state) { free_all(source, state.blocks.entries()); });
}

// --- Asymmetric ---------------------------------------------------------------------------------

/// A kind of block: how many live, which sizes they have, and whether the oldest goes first.
struct BlockKind {
    unsigned percent_max;  // Of the operations, with those of the kinds before.
    std::size_t live_count;
    Sizes sizes;
    enum class Order { random, oldest_first } order;
};

inline constexpr BlockKind block_kinds[] = {
    {90, 20'000, {16, 256}, BlockKind::Order::random},
    {99, 2'000, {257, std::size_t{8} << 10}, BlockKind::Order::oldest_first},
    {100, 64, {(std::size_t{8} << 10) + 1, std::size_t{512} << 10}, BlockKind::Order::oldest_first},
};

inline const BlockKind& kind_from(std::uint64_t number) {
    const std::size_t percent = index_from(number, 100);
    for (const BlockKind& kind : block_kinds) {
        if (percent < kind.percent_max) return kind;
    }
    return block_kinds[0];
}

/// Large blocks are used as a whole, or they would not be large.
inline void touch_pages(const Block& block) {
    for (std::size_t i = 0; i < block.size_bytes; i += 4096) block.memory[i] = std::byte{1};
}

struct Mixing {
    Table<Block> blocks[3];
    std::size_t oldest[3] = {};
    Random random;
};

template <class Source>
[[gnu::noinline]] void replace_mixed(Source source, Mixing& state, std::uint64_t operation_count) {
    for (std::uint64_t i = 0; i < operation_count; ++i) {
        const BlockKind& kind = kind_from(state.random.next());
        const auto k = static_cast<std::size_t>(&kind - block_kinds);
        const std::uint64_t number = state.random.next();
        std::size_t index = index_from(number, kind.live_count);
        if (kind.order == BlockKind::Order::oldest_first) {
            index = state.oldest[k];
            state.oldest[k] = index + 1 == kind.live_count ? 0 : index + 1;
        }
        Block& block = state.blocks[k].entries()[index];
        replace(source, block, size_from(number, kind.sizes));
        touch_pages(block);
    }
}

/// Many small blocks and few large ones, which live differently long.
template <class Source>
Measurement asymmetric(Source source, const Job& job) {
    return on_threads(
        job,
        [&](std::uint64_t seed) {
            Mixing state{
                {Table<Block>(block_kinds[0].live_count), Table<Block>(block_kinds[1].live_count),
                 Table<Block>(block_kinds[2].live_count)},
                {},
                Random(seed)};
            for (std::size_t k = 0; k < 3; ++k) {
                fill(source, state.blocks[k].entries(), state.random, block_kinds[k].sizes);
            }
            replace_mixed(source, state, 100'000);
            return state;
        },
        [&](Mixing& state) { replace_mixed(source, state, job.operation_count); },
        [&](Mixing& state) {
            for (Table<Block>& blocks : state.blocks) free_all(source, blocks.entries());
        });
}

// --- Peak ---------------------------------------------------------------------------------------

inline void shuffle(std::span<Block> blocks, Random& random) {
    for (std::size_t i = blocks.size(); i > 1; --i) {
        std::swap(blocks[i - 1], blocks[index_from(random.next(), i)]);
    }
}

/// As many blocks as there are operations, of the sizes above, all live at once; then all freed in
/// random order. What is resident a second later is what the program paid for its peak.
template <class Source>
Measurement peak(Source source, const Job& job) {
    Measurement result;
    result.operation_count = job.operation_count;
    Random random(job.seed);
    Table<Block> table(job.operation_count);
    const Span up = timed([&] {
        for (Block& block : table.entries()) {
            const BlockKind& kind = kind_from(random.next());
            const std::size_t size_bytes = size_from(random.next(), kind.sizes);
            block = {source.alloc(size_bytes), size_bytes};
            touch_pages(block);
        }
    });
    result.steady_bytes = resident_bytes();
    shuffle(table.entries(), random);
    const Span down = timed([&] { free_all(source, table.entries()); });
    table.release();
    result.freed_bytes = resident_bytes();
    std::this_thread::sleep_for(std::chrono::seconds(1));
    result.settled_bytes = resident_bytes();
    const Span both{up.start, up.end + (down.end - down.start), up.cpu_ns + down.cpu_ns};
    set_times(result, std::span(&both, 1), 1);
    return result;
}

}  // namespace bench::heaps
