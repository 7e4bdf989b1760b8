// SPDX-License-Identifier: MIT
#include "carbide/locked_allocator.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <latch>
#include <span>
#include <string_view>
#include <thread>
#include <vector>

#include "carbide/arena_allocator.hpp"
#include "carbide/c_allocator.hpp"
#include "carbide/check.hpp"
#include "carbide/logging_allocator.hpp"
#include "support/bump_heap.hpp"
#include "support/child_process.hpp"
#include "support/recording_heap.hpp"

namespace carbide {
namespace {

using Bytes = std::span<std::byte>;

TEST_CASE("locked: every operation reaches the backing as it is") {
    tests::RecordingHeap backing;
    LockedAllocator locked({.backing = backing.allocator()});
    const Allocator handle = locked.allocator();
    Bytes slice = handle.must_alloc<std::byte>(10);
    CHECK_FALSE(handle.resize(slice, 20));
    CHECK_FALSE(handle.remap(slice, 20).has_value());

    backing.can_resize = backing.can_remap = true;
    REQUIRE(handle.resize(slice, 20));
    slice = {slice.data(), 20};
    const auto moved = handle.remap(slice, 9000);
    REQUIRE(moved.has_value());
    handle.free(*moved);

    backing.can_alloc = false;
    CHECK_FALSE(handle.alloc<std::byte>(1).has_value());
    CHECK(backing.alloc_count == 2);
    CHECK(backing.resize_count == 2);
    CHECK(backing.remap_count == 2);
    CHECK(backing.free_count == 1);
    CHECK(backing.mistake.empty());
}

TEST_CASE("locked: alignments reach the backing unchanged") {
    tests::RecordingHeap backing;
    LockedAllocator locked({.backing = backing.allocator()});
    for (std::size_t alignment_bytes = 1; alignment_bytes <= 65536; alignment_bytes *= 2) {
        const std::align_val_t alignment{alignment_bytes};
        void* const memory = locked.allocator().raw_alloc(24, alignment);
        REQUIRE(memory != nullptr);
        CHECK(backing.newest == tests::RecordingHeap::Lent{24, alignment_bytes});
        locked.allocator().raw_free(memory, 24, alignment);
    }
    CHECK(backing.mistake.empty());
}

TEST_CASE("locked: the backing's window serves it without the backing's slow path") {
    tests::BumpHeap<4096> bump;
    LockedAllocator locked({.backing = bump.allocator()});
    const auto numbers = locked.allocator().must_alloc<int>(16);
    locked.allocator().free(numbers);
    if (!window_stays_closed()) CHECK(bump.slow_call_count == 0);
    CHECK(bump.used_bytes() == 0);
}

// Fills blocks with a pattern of its own and looks at them later, growing some.
void churn(Allocator allocator, unsigned char pattern, int round_count, bool& intact) {
    std::vector<Bytes> held;
    for (int round = 0; round < round_count; ++round) {
        const auto slice = allocator.alloc<std::byte>(static_cast<std::size_t>(1 + round % 90));
        if (slice.has_value()) {
            std::fill(slice->begin(), slice->end(), std::byte{pattern});
            held.push_back(*slice);
        }
        if (held.size() < 8) continue;
        const auto grown = allocator.realloc(held.back(), held.back().size() + 100);
        if (grown.has_value()) {
            const auto added = grown->subspan(held.back().size());
            std::fill(added.begin(), added.end(), std::byte{pattern});
            held.back() = *grown;
        }
        for (const Bytes& old : held) {
            for (const std::byte byte : old) intact = intact && byte == std::byte{pattern};
            allocator.free(old);
        }
        held.clear();
    }
    for (const Bytes& old : held) allocator.free(old);
}

bool survives_many_threads(LockedAllocator& locked, int round_count) {
    constexpr std::size_t thread_count = 4;
    bool intact[thread_count];
    std::fill(std::begin(intact), std::end(intact), true);
    std::latch all_started(thread_count);
    {
        std::vector<std::jthread> threads;
        for (std::size_t index = 0; index < thread_count; ++index) {
            threads.emplace_back([&locked, &intact, &all_started, index, round_count] {
                all_started.arrive_and_wait();
                churn(locked.allocator(), static_cast<unsigned char>(index + 1), round_count,
                      intact[index]);
            });
        }
    }
    return std::all_of(std::begin(intact), std::end(intact), [](bool all) { return all; });
}

TEST_CASE("locked: many threads share an arena") {
    ArenaAllocator arena({.backing = c_allocator(), .first_chunk_bytes = 512});
    LockedAllocator locked({.backing = arena.allocator()});
    CHECK(survives_many_threads(locked, 1500));
    locked.while_locked([&] { arena.reset(ArenaAllocator::Retain::nothing); });
    CHECK(arena.capacity_bytes() == 0);
}

TEST_CASE("locked: many threads share a heap that counts without atomics") {
    tests::RecordingHeap backing;
    backing.can_resize = true;
    LockedAllocator locked({.backing = backing.allocator()});
    CHECK(survives_many_threads(locked, 1500));
    CHECK(backing.live.empty());
    CHECK(backing.mistake.empty());
    CHECK(backing.alloc_count == backing.free_count);
}

TEST_CASE("locked: work under the lock excludes the other threads and returns its result") {
    tests::BumpHeap<65536> bump;
    LockedAllocator locked({.backing = bump.allocator()});
    bool whole = true;
    {
        std::jthread other([&] {
            for (int round = 0; round < 500; ++round) {
                locked.allocator().free(locked.allocator().must_alloc<int>(8));
            }
        });
        for (int round = 0; round < 500; ++round) {
            // Were another thread to allocate in between, the two would not be neighbours.
            whole = whole && locked.while_locked([&] {
                const auto first = bump.must_alloc<std::uint64_t>(1);
                const auto second = bump.must_alloc<std::uint64_t>(1);
                const bool neighbours = second.data() == first.data() + 1;
                bump.free(second);
                bump.free(first);
                return neighbours;
            });
        }
    }
    CHECK(whole);
}

TEST_CASE("locked: work under the lock may return a reference") {
    tests::RecordingHeap backing;
    LockedAllocator locked({.backing = backing.allocator()});
    int number = 1;
    locked.while_locked([&]() -> int& { return number; }) = 2;
    CHECK(number == 2);
}

TEST_CASE("locked: after its end any thread may take the backing over") {
    tests::BumpHeap<4096> bump;
    {
        LockedAllocator locked({.backing = bump.allocator()});
        locked.allocator().free(locked.allocator().must_alloc<int>(1));
    }
    bump.free(bump.must_alloc<int>(1));
    CHECK(bump.used_bytes() == 0);
}

TEST_CASE("locked: after its end a heap may give back to a heap that was under the lock, too") {
    tests::BumpHeap<65536> bump;
    {
        ArenaAllocator arena({.backing = bump.allocator()});
        LockedAllocator locked({.backing = arena.allocator()});
        static_cast<void>(locked.allocator().must_alloc<int>(1));
        CHECK(bump.used_bytes() != 0);
    }
    CHECK(bump.used_bytes() == 0);
}

TEST_CASE("locked: locks stack") {
    tests::BumpHeap<4096> bump;
    LockedAllocator inner({.backing = bump.allocator(), .name = "inner"});
    LockedAllocator outer({.backing = inner.allocator(), .name = "outer"});
    CHECK(survives_many_threads(outer, 50));
    CHECK(survives_many_threads(inner, 50));
    CHECK(std::string_view(outer.name()) == "outer");
}

#if CARBIDE_CHECKED
TEST_CASE("locked: use of the backing beside the lock is found") {
    const auto result = tests::run_in_child([] {
        ArenaAllocator arena({.backing = c_allocator(), .name = "shared arena"});
        LockedAllocator locked({.backing = arena.allocator()});
        static_cast<void>(locked.allocator().must_alloc<int>(1));
        static_cast<void>(arena.allocator().must_alloc<int>(1));
    });
    CHECK(result.trapped());
    CHECK(result.wrote("carbide: the allocator 'shared arena' belongs to the lock 'locked'"));
    CHECK(result.wrote(" and was used by thread "));
}

TEST_CASE("locked: use of the backing beside the lock is found in another thread, too") {
    const auto result = tests::run_in_child([] {
        ArenaAllocator arena({.backing = c_allocator(), .name = "shared arena"});
        LockedAllocator locked({.backing = arena.allocator()});
        static_cast<void>(locked.allocator().must_alloc<int>(1));
        std::thread([&] { static_cast<void>(arena.allocator().must_alloc<int>(1)); }).join();
    });
    CHECK(result.trapped());
    CHECK(result.wrote("carbide: the allocator 'shared arena' belongs to the lock 'locked'"));
}

TEST_CASE("locked: a backing that was used before must be detached first") {
    const auto use = [](bool detach) {
        return tests::run_in_child([detach] {
            ArenaAllocator arena({.backing = c_allocator(), .name = "used arena"});
            static_cast<void>(arena.allocator().must_alloc<int>(1));
            if (detach) arena.detach_from_thread();
            LockedAllocator locked({.backing = arena.allocator()});
            static_cast<void>(locked.allocator().must_alloc<int>(1));
        });
    };
    const auto kept = use(false);
    CHECK(kept.trapped());
    CHECK(kept.wrote("carbide: the allocator 'used arena' belongs to thread "));
    CHECK(kept.wrote(" and was used by the lock 'locked'"));
    const auto detached = use(true);
    CHECK(detached.signal == 0);
    CHECK(detached.stderr_text.empty());
}

TEST_CASE("locked: use beside the lock is found through a wrapper under the lock") {
    const auto result = tests::run_in_child([] {
        ArenaAllocator arena({.backing = c_allocator(), .name = "wrapped arena"});
        LoggingAllocator logging({.backing = arena.allocator(),
                                  .sink = [](void*, const LoggingAllocator::Event&) noexcept {}});
        LockedAllocator locked({.backing = logging.allocator()});
        static_cast<void>(locked.allocator().must_alloc<int>(1));
        static_cast<void>(logging.allocator().must_alloc<int>(1));
    });
    CHECK(result.trapped());
    CHECK(result.wrote("carbide: the allocator 'wrapped arena' belongs to the lock 'locked'"));
}
#endif

}  // namespace
}  // namespace carbide
