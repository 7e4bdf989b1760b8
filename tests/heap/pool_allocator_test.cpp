// SPDX-License-Identifier: MIT
#include "carbide/pool_allocator.hpp"

#include <doctest/doctest.h>

#include <ostream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "carbide/arena_allocator.hpp"
#include "carbide/c_allocator.hpp"
#include "carbide/page_allocator.hpp"
#include "carbide/testing/allocator_contract.hpp"
#include "support/accessible.hpp"
#include "support/child_process.hpp"
#include "support/counted.hpp"
#include "support/recording_heap.hpp"

namespace carbide {
namespace {

using testing::check_allocator_contract;
using testing::check_out_of_memory;
using testing::ContractOptions;
using tests::Counted;
using tests::RecordingHeap;
using tests::Throwing;

struct Node {
    Node* next;
    std::uint64_t value;
};

template <std::size_t Bytes, std::size_t Alignment>
struct alignas(Alignment) Slot {
    std::byte bytes[Bytes];
};

template <std::size_t Bytes, std::size_t Alignment>
void check_contract(Allocator backing) {
    using T = Slot<Bytes, Alignment>;
    constexpr ContractOptions promised{.size_bytes_max = sizeof(T),
                                       .alignment_max = std::align_val_t{alignof(T)}};
    PoolAllocator<T> pool({.backing = backing});
    CHECK(check_allocator_contract(pool.allocator(), promised).message() == "");
    CHECK(pool.is_valid());
    CHECK(pool.live_count() == 0);
    CHECK(check_out_of_memory(
              [](Allocator failing, auto run_on) {
                  PoolAllocator<T> failing_pool({.backing = failing, .first_chunk_slots = 2});
                  run_on(failing_pool.allocator());
                  CHECK(failing_pool.is_valid());
                  CHECK(failing_pool.live_count() == 0);
              },
              promised)
              .message() == "");
}

TEST_CASE("pool: keeps the contract for requests that fit a slot, out of memory at every point") {
    ArenaAllocator arena({.backing = c_allocator()});
    check_contract<8, 8>(c_allocator());
    check_contract<24, 8>(c_allocator());
    check_contract<100, 16>(arena.allocator());
    check_contract<4096, 64>(c_allocator());
    check_contract<8192, 4096>(page_allocator());
}

TEST_CASE("pool: a request that does not fit a slot is out of memory") {
    PoolAllocator<Node> pool({.backing = c_allocator()});
    const Allocator handle = pool.allocator();
    CHECK(handle.raw_alloc(17, std::align_val_t{8}) == nullptr);
    CHECK(handle.raw_alloc(16, std::align_val_t{16}) == nullptr);
    void* const memory = handle.raw_alloc(3, std::align_val_t{1});
    REQUIRE(memory != nullptr);
    CHECK(handle.raw_resize(memory, 3, 16, std::align_val_t{1}));
    CHECK_FALSE(handle.raw_resize(memory, 16, 17, std::align_val_t{1}));
    CHECK(handle.raw_realloc(memory, 16, 17, std::align_val_t{1}) == nullptr);
    CHECK(pool.live_count() == 1);
    handle.raw_free(memory, 16, std::align_val_t{1});
    CHECK(pool.live_count() == 0);
}

TEST_CASE("pool: create and destroy run constructor and destructor and reuse the slot") {
    Counted::live = 0;
    PoolAllocator<Counted> pool({.backing = c_allocator()});
    const auto first = pool.create(7);
    REQUIRE(first.has_value());
    CHECK((*first)->value == 7);
    CHECK(Counted::live == 1);
    CHECK(pool.owns(*first));
    pool.destroy(*first);
    CHECK(Counted::live == 0);
    const auto second = pool.create();
    CHECK(*second == *first);
    pool.destroy(*second);
    pool.destroy(nullptr);
    CHECK(pool.live_count() == 0);
}

TEST_CASE("pool: through the handle and through the pool itself the slots are the same") {
    PoolAllocator<Node> pool({.backing = c_allocator()});
    Node* const node = pool.allocator().must_create<Node>();
    pool.destroy(node);
    CHECK(*pool.create() == node);
    pool.allocator().destroy(node);
    CHECK(pool.live_count() == 0);
    CHECK(pool.is_valid());
}

TEST_CASE("pool: a constructor that throws gives the slot back") {
    PoolAllocator<Throwing> pool({.backing = c_allocator()});
    for (int i = 0; i < 3; ++i) {
        CHECK_THROWS(static_cast<void>(pool.create()));
        CHECK_THROWS(static_cast<void>(pool.allocator().create<Throwing>()));
    }
    CHECK(pool.live_count() == 0);
    CHECK(pool.is_valid());
}

TEST_CASE("pool: takes nothing from the backing before the first request") {
    RecordingHeap backing;
    PoolAllocator<Node> pool({.backing = backing.allocator()});
    CHECK(pool.allocator().raw_alloc(17, std::align_val_t{1}) == nullptr);
    pool.reset();
    CHECK(backing.call_count() == 0);
    CHECK(pool.create().has_value());
    CHECK(backing.newest.size_bytes == 32 + 256 * sizeof(Node));  // 4096 bytes of slots.
}

TEST_CASE("pool: one that does not grow has the slots of its preheating") {
    using Pool = PoolAllocator<Node>;
    RecordingHeap backing;
    Pool pool({.backing = backing.allocator(), .growth = Pool::Growth::fixed});
    CHECK_FALSE(pool.create().has_value());
    REQUIRE(pool.preheat(5).has_value());
    for (int round = 0; round < 2; ++round) {
        std::vector<Node*> nodes;
        for (int i = 0; i < 5; ++i) nodes.push_back(*pool.create());
        CHECK_FALSE(pool.create().has_value());
        CHECK(pool.live_count() == 5);
        for (Node* const node : nodes) pool.destroy(node);
    }
    CHECK(backing.alloc_count == 1);
    CHECK(pool.capacity_count() == 5);
}

TEST_CASE("pool: reset to its capacity lends the same slots without the backing") {
    RecordingHeap backing;
    PoolAllocator<Node> pool({.backing = backing.allocator(), .first_chunk_slots = 10});
    for (int i = 0; i < 100; ++i) REQUIRE(pool.create().has_value());
    const std::size_t capacity_count = pool.capacity_count();
    const std::size_t call_count = backing.call_count();
    pool.reset();
    CHECK(pool.live_count() == 0);
    CHECK(pool.is_valid());
    for (std::size_t i = 0; i < capacity_count; ++i) REQUIRE(pool.create().has_value());
    CHECK(backing.call_count() == call_count);
}

TEST_CASE("pool: reset to nothing, and its end, give every chunk back") {
    RecordingHeap backing;
    {
        PoolAllocator<Node> pool({.backing = backing.allocator(), .first_chunk_slots = 10});
        for (int i = 0; i < 100; ++i) REQUIRE(pool.create().has_value());
        pool.reset(PoolBase::Retain::nothing);
        CHECK(backing.live.empty());
        CHECK(pool.capacity_bytes() == 0);
        REQUIRE(pool.create().has_value());
        CHECK(backing.live.size() == 1);
    }
    CHECK(backing.live.empty());
    CHECK(backing.mistake.empty());
}

TEST_CASE("pool: another thread may use it after a reset") {
    PoolAllocator<Node> pool({.backing = c_allocator()});
    REQUIRE(pool.create().has_value());
    pool.reset();
    bool created = false;
    std::thread([&] { created = pool.create().has_value(); }).join();
    CHECK(created);
}

#if CARBIDE_CHECKED
TEST_CASE("pool: a second thread stops the program, without the handle as well") {
    const tests::ChildResult child = tests::run_in_child([] {
        PoolAllocator<Node> pool({.backing = c_allocator(), .name = "nodes"});
        static_cast<void>(pool.create());
        std::thread([&] { static_cast<void>(pool.create()); }).join();
    });
    CHECK(child.trapped());
    CHECK(child.wrote("carbide: the allocator 'nodes' belongs to thread "));
}
#endif

#if CARBIDE_ASAN
using tests::accessible_bytes;

TEST_CASE("pool: only the bytes that it lends are accessible") {
    using Large = Slot<128, 8>;
    PoolAllocator<Large> pool({.backing = c_allocator()});
    void* const typed = *pool.create();
    CHECK(accessible_bytes(typed, 1024) == 128);
    pool.destroy(static_cast<Large*>(typed));
    CHECK(accessible_bytes(typed, 1024) == 0);

    const Allocator handle = pool.allocator();
    void* const smaller = handle.raw_alloc(20, std::align_val_t{1});
    CHECK(smaller == typed);
    CHECK(accessible_bytes(smaller, 1024) == 20);
    CHECK(handle.raw_resize(smaller, 20, 101, std::align_val_t{1}));
    CHECK(accessible_bytes(smaller, 1024) == 101);
    CHECK(handle.raw_resize(smaller, 101, 7, std::align_val_t{1}));
    CHECK(accessible_bytes(smaller, 1024) == 7);
    handle.raw_free(smaller, 7, std::align_val_t{1});
    CHECK(accessible_bytes(smaller, 1024) == 0);
    CHECK(accessible_bytes(*pool.create(), 1024) == 128);
    pool.reset();
    CHECK(accessible_bytes(smaller, 1024) == 0);
}
#endif

}  // namespace
}  // namespace carbide
