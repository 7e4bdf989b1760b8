// SPDX-License-Identifier: MIT
// Each allocator of the selection guide, in the order in which the guide asks.
#include <array>
#include <cstddef>
#include <cstdio>

#include "carbide/arena_allocator.hpp"
#include "carbide/c_allocator.hpp"
#include "carbide/debug_allocator.hpp"
#include "carbide/failing_allocator.hpp"
#include "carbide/fixed_buffer_allocator.hpp"
#include "carbide/limit_allocator.hpp"
#include "carbide/owned_slice.hpp"
#include "carbide/page_allocator.hpp"
#include "carbide/pool_allocator.hpp"
#include "carbide/stack_fallback_allocator.hpp"

namespace {

struct Point {
    double x;
    double y;
};

// The same work for all: it does not know where its memory comes from.
void work(const char* question, carbide::Allocator allocator) {
    const auto points = carbide::make_owned_slice<Point>(allocator, 1);
    std::printf("%-52s %-14s %s\n", question, allocator.name(),
                points ? "ok" : points.error().message());
}

}  // namespace

int main() {
    carbide::DebugAllocator debug;
    work("A test, which must not leak?", debug.allocator());

    carbide::FailingAllocator failing({.backing = carbide::c_allocator(), .alloc_index = 0});
    work("A test of what happens without memory?", failing.allocator());

    work("Once at start-up, or large?", carbide::page_allocator());

    carbide::ArenaAllocator arena({.backing = carbide::page_allocator()});
    work("Do all allocations end together?", arena.allocator());

    std::array<std::byte, 1024> bytes;
    carbide::FixedBufferAllocator fixed(bytes);
    work("Is the maximum known?", fixed.allocator());

    carbide::StackFallbackAllocator<1024> scratch(carbide::c_allocator());
    work("Is it nearly always small?", scratch.allocator());

    carbide::PoolAllocator<Point> pool({.backing = carbide::c_allocator()});
    work("Many of one size, which come and go in any order?", pool.allocator());

    carbide::LimitAllocator limit({.backing = carbide::c_allocator(), .limit_bytes = 1 << 20});
    work("Must it be bounded?", limit.allocator());

    work("None of these?", carbide::c_allocator());
}
