// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "carbide/arena_allocator.hpp"
#include "carbide/c_allocator.hpp"
#include "carbide/null_allocator.hpp"
#include "carbide/statistics_allocator.hpp"
#include "support/accessible.hpp"
#include "support/child_process.hpp"
#include "support/fill_arena.hpp"
#include "support/recording_heap.hpp"

namespace carbide {
namespace {

using tests::ChildResult;
using tests::fill;
using tests::RecordingHeap;
using tests::run_in_child;
using Retain = ArenaAllocator::Retain;

constexpr std::align_val_t unaligned{1};

TEST_CASE("arena: rewinding frees everything newer, whole chunks included") {
    ArenaAllocator arena({.backing = c_allocator(), .first_chunk_bytes = 256});
    auto* const kept = static_cast<char*>(arena.raw_alloc(100, unaligned));
    std::memset(kept, 'k', 100);
    const std::size_t used_bytes = arena.used_bytes();
    auto mark = arena.mark();
    void* const first = arena.raw_alloc(40, unaligned);
    for (int round = 0; round < 3; ++round) {
        for (std::size_t size_bytes = 1; size_bytes < 5000; size_bytes *= 3) {
            std::memset(arena.raw_alloc(size_bytes, std::align_val_t{64}), 'x', size_bytes);
        }
        mark.rewind();
        CHECK(arena.used_bytes() == used_bytes);
        CHECK(arena.is_valid());
        CHECK(arena.raw_alloc(40, unaligned) == first);
    }
    CHECK(std::count(kept, kept + 100, 'k') == 100);
}

TEST_CASE("arena: a mark that ends without rewinding keeps what is newer") {
    ArenaAllocator arena({.backing = c_allocator()});
    {
        const auto mark = arena.mark();
        fill(arena, 1000);
    }
    CHECK(arena.used_bytes() == 1000);
}

TEST_CASE("arena: marks nest, each rewinding to its own place") {
    ArenaAllocator arena({.backing = c_allocator(), .first_chunk_bytes = 128});
    const auto outermost = arena.scope();
    fill(arena, 200);
    {
        auto outer = arena.mark();
        fill(arena, 1000);
        {
            const auto inner = arena.scope();
            fill(arena, 10'000);
        }
        CHECK(arena.used_bytes() == 1000);
        outer.rewind();
        CHECK(arena.used_bytes() == 200);
    }
    CHECK(arena.is_valid());
}

TEST_CASE("arena: rewinding in a loop does not call the backing") {
    RecordingHeap backing;
    ArenaAllocator arena({.backing = backing.allocator()});
    for (const bool has_content : {false, true}) {
        if (has_content) fill(arena, 1000);
        std::size_t call_count = 0;
        for (int round = 0; round < 20; ++round) {
            const auto scope = arena.scope();
            fill(arena, 6000);
            if (round == 1) call_count = backing.call_count();
        }
        CHECK(backing.call_count() == call_count);
    }
}

TEST_CASE("arena: an allocation from before a mark does not grow into what rewinding frees") {
    ArenaAllocator arena({.backing = c_allocator()});
    void* const older = arena.raw_alloc(100, unaligned);
    {
        const auto scope = arena.scope();
        CHECK_FALSE(arena.raw_resize(older, 100, 200, unaligned));
        CHECK(arena.raw_resize(older, 100, 104, unaligned));
        CHECK(arena.raw_resize(older, 104, 8, unaligned));
        CHECK(arena.raw_resize(older, 8, 104, unaligned));  // What it had is still its own.
        void* const newer = arena.raw_alloc(100, unaligned);
        CHECK(arena.raw_resize(newer, 100, 200, unaligned));
    }
    CHECK(arena.raw_alloc(8, unaligned) == static_cast<std::byte*>(older) + 104);
}

TEST_CASE("arena: a detached state keeps its allocations and becomes an arena again") {
    StatisticsAllocator statistics({.backing = c_allocator()});
    ArenaAllocator arena({.backing = statistics.allocator(), .first_chunk_bytes = 256});
    fill(arena, 1000);
    auto* const text = static_cast<char*>(arena.raw_alloc(6, unaligned));
    std::memcpy(text, "alive", 6);
    const std::size_t used_bytes = arena.used_bytes();
    const std::size_t capacity_bytes = arena.capacity_bytes();

    auto state = std::make_optional(arena.detach());
    CHECK(state->capacity_bytes() == capacity_bytes);
    CHECK(arena.capacity_bytes() == 0);
    CHECK(arena.used_bytes() == 0);
    fill(arena, 104);  // And is an arena as before.
    CHECK(arena.is_valid());

    ArenaAllocator again(*std::move(state));
    state.reset();
    CHECK(std::strcmp(text, "alive") == 0);
    CHECK(again.used_bytes() == used_bytes);
    CHECK(again.capacity_bytes() == capacity_bytes);
    CHECK(again.is_valid());
    CHECK(again.raw_alloc(8, unaligned) == text + 8);  // Behind the newest allocation.
    again.reset(Retain::nothing);
    arena.reset(Retain::nothing);
    CHECK(statistics.live_count() == 0);
}

TEST_CASE("arena: a detached state that is dropped frees its chunks") {
    StatisticsAllocator statistics({.backing = c_allocator()});
    ArenaAllocator arena({.backing = statistics.allocator(), .first_chunk_bytes = 256});
    fill(arena, 1000);
    {
        const auto state = arena.detach();
        CHECK(statistics.live_count() != 0);
    }
    CHECK(statistics.live_count() == 0);
    {
        const auto empty = arena.detach();
    }
    ArenaAllocator from_empty(arena.detach());
    fill(from_empty, 104);
}

TEST_CASE("arena: misused marks stop the program") {
    using Mark = ArenaAllocator::Mark;
    ArenaAllocator arena({.backing = c_allocator()});
    const auto with_two_marks = [&](auto misuse) {
        return run_in_child([&] {
            std::optional<Mark> older(std::in_place, arena);
            std::optional<Mark> newer(std::in_place, arena);
            misuse(older, newer);
        });
    };
    using OptionalMark = std::optional<Mark>;
    ChildResult child = with_two_marks([](OptionalMark& older, auto&) { older.reset(); });
    CHECK(child.trapped());
    CHECK(child.wrote("carbide: an arena mark ended before a newer one"));
    child = with_two_marks([](OptionalMark& older, auto&) { older->rewind(); });
    CHECK(child.trapped());
    CHECK(child.wrote("carbide: an arena was rewound to a mark while a newer one was alive"));
    child = with_two_marks([&](auto&, auto&) { arena.reset(); });
    CHECK(child.trapped());
    CHECK(child.wrote("carbide: an arena was reset before its mark ended"));
    child = with_two_marks([&](auto&, auto&) { arena.reset_retaining(100); });
    CHECK(child.trapped());
    child = with_two_marks([&](auto&, auto&) { static_cast<void>(arena.detach()); });
    CHECK(child.trapped());
    CHECK(child.wrote("carbide: an arena was detached before its mark ended"));
}

TEST_CASE("arena: being destroyed before its mark stops the program") {
    const ChildResult child = run_in_child([] {
        std::optional<ArenaAllocator> arena(std::in_place,
                                            ArenaAllocator::Options{.backing = null_allocator()});
        const auto mark = arena->mark();
        arena.reset();
    });
    CHECK(child.trapped());
    CHECK(child.wrote("carbide: an arena was destroyed before its mark"));
}

#if CARBIDE_ASAN
using tests::accessible_bytes;

TEST_CASE("arena: only the bytes that it lends are accessible") {
    ArenaAllocator arena({.backing = c_allocator()});
    auto* const inlined = static_cast<std::byte*>(arena.allocator().raw_alloc(20, unaligned));
    CHECK(accessible_bytes(inlined, 64) == 20);
    auto* const slow =
        static_cast<std::byte*>(arena.allocator().raw_alloc(20, std::align_val_t{256}));
    CHECK(accessible_bytes(inlined, 4000) == 40);
    CHECK(arena.raw_resize(slow, 20, 30, unaligned));
    CHECK(accessible_bytes(slow, 64) == 30);
    CHECK(arena.raw_resize(slow, 30, 10, unaligned));
    CHECK(accessible_bytes(slow, 64) == 10);
    arena.raw_free(inlined, 20, unaligned);
    CHECK(accessible_bytes(inlined, 4000) == 10);
    arena.raw_free(slow, 10, std::align_val_t{256});
    CHECK(accessible_bytes(inlined, 4000) == 0);
}

TEST_CASE("arena: what a reset or a rewind frees is not accessible") {
    ArenaAllocator arena({.backing = c_allocator()});
    void* const kept = arena.raw_alloc(20, unaligned);
    void* first = nullptr;
    void* in_new_chunk = nullptr;
    {
        const auto scope = arena.scope();
        first = arena.raw_alloc(100, unaligned);
        in_new_chunk = arena.raw_alloc(5000, unaligned);
        CHECK(accessible_bytes(in_new_chunk, 5000) == 5000);
    }
    CHECK(accessible_bytes(kept, 24) == 20);
    CHECK(accessible_bytes(first, 100) == 0);
    CHECK(accessible_bytes(in_new_chunk, 5000) == 0);
    arena.reset();
    CHECK(accessible_bytes(arena.raw_alloc(8, unaligned), 4000) == 8);
}

TEST_CASE("arena: memory that it gave back is as accessible as any other") {
    StatisticsAllocator statistics({.backing = c_allocator()});
    alignas(16) std::byte bytes[4096];
    struct OneBuffer : HeapOperations<OneBuffer> {
        explicit OneBuffer(std::byte* lent) : HeapOperations("one buffer"), memory(lent) {}
        static void* slow_alloc(Heap& heap, std::size_t, std::align_val_t) noexcept {
            return self(heap).memory;
        }
        static bool slow_resize(Heap&, void*, std::size_t, std::size_t, std::align_val_t) noexcept {
            return true;
        }
        static void* slow_remap(Heap&, void*, std::size_t, std::size_t, std::align_val_t) noexcept {
            return nullptr;
        }
        static void slow_free(Heap&, void*, std::size_t, std::align_val_t) noexcept {}
        std::byte* memory;
    } backing(bytes);
    {
        ArenaAllocator arena({.backing = backing.allocator(), .first_chunk_bytes = sizeof bytes});
        fill(arena, 104);
        CHECK(accessible_bytes(bytes, sizeof bytes) < 200);
        arena.reset_retaining(1024);
        CHECK(accessible_bytes(bytes + 1024, sizeof bytes - 1024) == sizeof bytes - 1024);
    }
    CHECK(accessible_bytes(bytes, sizeof bytes) == sizeof bytes);
}
#endif

}  // namespace
}  // namespace carbide
