// SPDX-License-Identifier: MIT
// carbide_cost NAME COUNT: runs one loop COUNT times. Made to be counted by callgrind: the
// instructions of a run with 2,000 passes, less those of a run with 1,000, are those of 1,000.
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "carbide/c_allocator.hpp"
#include "carbide/fixed_buffer_allocator.hpp"
#include "carbide/memory_marks.hpp"
#include "loops.hpp"

namespace {

constexpr std::size_t room_bytes = std::size_t{1} << 20;

std::size_t run(std::string_view name, std::size_t count) {
    std::vector<std::byte> buffer(room_bytes);
    carbide::FixedBufferAllocator fixed_buffer(buffer);
    carbide::ArenaAllocator arena(
        {.backing = carbide::c_allocator(), .first_chunk_bytes = room_bytes});
    carbide::PoolAllocator<cost::Node> pool({.backing = carbide::c_allocator()});
    const auto begin = reinterpret_cast<std::uintptr_t>(buffer.data());
    carbide::ThreadCachingAllocator caching;
    const carbide::Allocator handle = caching.allocator();
    cost::HandWrittenBump bump{begin, begin + room_bytes};

    // What only the first request does is in both runs, and so not in their difference.
    if (name == "hand-written-bump") return cost::create_by_hand(bump, count);
    if (name == "arena-create") return cost::create(arena.allocator(), count);
    if (name == "arena-create-direct") return cost::create_direct(arena, count);
    if (name == "arena-create-destroy") return cost::create_and_destroy(arena.allocator(), count);
    if (name == "arena-create-padded") return cost::create_padded(arena.allocator(), count);
    if (name == "arena-raw-alloc") return cost::raw_alloc(arena.allocator(), count, 24);
    if (name == "fixed-buffer-create") return cost::create(fixed_buffer.allocator(), count);
    if (name == "pool-create-destroy") return cost::create_and_destroy(pool.allocator(), count);
    if (name == "pool-create-destroy-direct") return cost::create_in_pool(pool, count);
    if (name == "caching-create-destroy") return cost::create_and_destroy(handle, count);
    if (name == "caching-create-destroy-direct") {
        return cost::create_and_destroy_direct(caching, count);
    }
    if (name == "caching-raw-alloc-free") return cost::raw_alloc_and_free(handle, count, 2400);
    if (name == "caching-raw-alloc-free-direct") {
        return cost::raw_alloc_and_free_direct(caching, count, 2400);
    }
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) return 2;
    if (carbide::window_stays_closed()) {
        std::fputs("carbide: the window is closed, as under memcheck: nothing to count here\n",
                   stderr);
        return 1;
    }
    const std::size_t count = std::strtoul(argv[2], nullptr, 10);
    if (run(argv[1], count) != count) {
        std::fprintf(stderr, "carbide: '%s' is unknown, or ran out of memory\n", argv[1]);
        return 1;
    }
    return 0;
}
