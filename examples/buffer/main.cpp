// SPDX-License-Identifier: MIT
#include <array>
#include <cstddef>
#include <cstdio>

#include "buffer/buffer.hpp"
#include "carbide/allocator.hpp"
#include "carbide/arena_allocator.hpp"
#include "carbide/c_allocator.hpp"
#include "carbide/fixed_buffer_allocator.hpp"

namespace {

// One function, and three kinds of memory: the caller decides.
void make_buffer(carbide::Allocator allocator) {
    auto buffer = examples::Buffer::create(allocator, 1000);
    if (buffer) {
        std::printf("%-12s %zu bytes\n", allocator.name(), buffer->bytes().size());
    } else {
        std::printf("%-12s %s\n", allocator.name(), buffer.error().message());
    }
}

}  // namespace

int main() {
    make_buffer(carbide::c_allocator());

    carbide::ArenaAllocator arena({.backing = carbide::c_allocator()});
    make_buffer(arena.allocator());

    std::array<std::byte, 512> bytes;
    carbide::FixedBufferAllocator fixed(bytes);
    make_buffer(fixed.allocator());
}
