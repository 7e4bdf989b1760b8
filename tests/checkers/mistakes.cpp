// SPDX-License-Identifier: MIT
// Makes the mistake that its argument names, each one write of a byte, at a volatile address.
#include <array>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <span>
#include <string_view>

#include "carbide/arena_allocator.hpp"
#include "carbide/c_allocator.hpp"
#include "carbide/fixed_buffer_allocator.hpp"
#include "carbide/page_allocator.hpp"
#include "carbide/pool_allocator.hpp"
#include "carbide/stack_fallback_allocator.hpp"

using carbide::Allocator;
using carbide::ArenaAllocator;
using carbide::c_allocator;

namespace {

struct Node {
    Node* next;
    char name[21];  // So that a node ends inside a granule, where it is not padded.
};

void write_to(void* memory, std::size_t offset) {
    *(static_cast<volatile char*>(memory) + offset) = 'x';
}

// The compiler must not see what stands behind the handle.
[[gnu::noinline]] std::span<char> text(Allocator allocator, std::size_t size) {
    return allocator.must_alloc<char>(size);
}

void use_correctly(Allocator allocator) {
    const std::span<char> first = text(allocator, 13);
    std::memset(first.data(), 'a', first.size());
    auto second = allocator.alloc_aligned<char, 64>(50);
    if (second.has_value()) {
        std::memset(second->data(), 'b', second->size());
        allocator.free(*second);
    }
    const auto grown = allocator.realloc(first, 40);
    if (!grown.has_value()) return;
    if ((*grown)[12] != 'a') std::puts("content lost");
    std::memset(grown->data(), 'c', grown->size());
    allocator.free(*grown);
}

void make_no_mistake() {
    use_correctly(c_allocator());
    use_correctly(carbide::page_allocator());
    ArenaAllocator arena({.backing = carbide::page_allocator()});
    for (int round = 0; round < 3; ++round) {
        use_correctly(arena.allocator());
        const auto scope = arena.scope();
        std::memset(text(arena.allocator(), 10000).data(), 'd', 10000);
    }
    arena.reset();
    use_correctly(arena.allocator());
    {
        alignas(8) std::array<std::byte, 400> bytes{};
        carbide::FixedBufferAllocator buffer(bytes);
        use_correctly(buffer.allocator());
    }
    {
        carbide::StackFallbackAllocator<64> stack(c_allocator());
        use_correctly(stack.allocator());
    }
    carbide::PoolAllocator<Node> pool({.backing = arena.allocator()});
    for (int i = 0; i < 200; ++i) {
        Node* const node = pool.create().value();
        node->name[20] = 'e';
        if (i % 2 == 0) pool.destroy(node);
    }
}

void mistake_in_arena(std::string_view mistake) {
    ArenaAllocator arena({.backing = c_allocator()});
    const std::span<char> older = text(arena.allocator(), 13);
    if (mistake == "arena-overrun") return write_to(older.data(), 13);
    if (mistake == "arena-after-free") {
        static_cast<void>(text(arena.allocator(), 8));  // So that `older` is not the newest.
        arena.allocator().free(older);
        return write_to(older.data(), 0);
    }
    auto mark = arena.mark();
    const std::span<char> newer = text(arena.allocator(), 13);
    if (mistake == "arena-after-rewind") {
        mark.rewind();
        write_to(newer.data(), 12);
    }
}

void mistake_after_reset() {
    ArenaAllocator arena({.backing = c_allocator()});
    const std::span<char> slice = text(arena.allocator(), 13);
    arena.reset();
    write_to(slice.data(), 0);
}

void mistake_in_buffers(std::string_view mistake) {
    alignas(8) std::array<std::byte, 64> bytes{};
    carbide::FixedBufferAllocator buffer(bytes);
    carbide::StackFallbackAllocator<64> stack(c_allocator());
    const std::span<char> in_buffer = text(buffer.allocator(), 13);
    const std::span<char> in_stack = text(stack.allocator(), 13);
    if (mistake == "fixed-buffer-overrun") write_to(in_buffer.data(), 13);
    if (mistake == "stack-fallback-overrun") write_to(in_stack.data(), 13);
    if (mistake == "fixed-buffer-after-free") {
        buffer.allocator().free(in_buffer);
        write_to(in_buffer.data(), 0);
    }
}

void mistake_in_pool(std::string_view mistake) {
    carbide::PoolAllocator<Node> pool({.backing = c_allocator()});
    Node* const node = pool.create().value();
    if (mistake == "pool-overrun") write_to(node, sizeof(Node));
    if (mistake == "pool-after-free") {
        pool.destroy(node);
        write_to(node, 8);
    }
}

}  // namespace

int main(int count, char** arguments) {
    const std::string_view mistake = count == 2 ? arguments[1] : "";
    if (mistake == "none") {
        make_no_mistake();
    } else if (mistake == "arena-after-reset") {
        mistake_after_reset();
    } else if (mistake.starts_with("arena-")) {
        mistake_in_arena(mistake);
    } else if (mistake.starts_with("fixed-") || mistake.starts_with("stack-")) {
        mistake_in_buffers(mistake);
    } else if (mistake.starts_with("pool-")) {
        mistake_in_pool(mistake);
    } else if (mistake == "page-overrun") {
        write_to(text(carbide::page_allocator(), 13).data(), 13);
    } else {
        std::puts("no such mistake");
        return 2;
    }
    std::puts("done");
}
