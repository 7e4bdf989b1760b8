// SPDX-License-Identifier: MIT
#include "carbide/slot_pool.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <set>
#include <vector>

#include "carbide/c_allocator.hpp"
#include "carbide/failing_allocator.hpp"
#include "carbide/statistics_allocator.hpp"
#include "support/accessible.hpp"
#include "support/child_process.hpp"
#include "support/recording_heap.hpp"
#include "testing/random.hpp"

namespace carbide {
namespace {

using tests::ChildResult;
using tests::RecordingHeap;

SlotPool::Options options_for(Allocator backing, std::size_t slot_bytes,
                              std::size_t first_chunk_slots = 4, bool growable = true) {
    return {.backing = backing,
            .slot_bytes = slot_bytes,
            .alignment = std::align_val_t{8},
            .first_chunk_slots = first_chunk_slots,
            .growable = growable};
}

TEST_CASE("slot pool: slots are large and aligned enough for what is asked and for its own list") {
    for (const std::size_t slot_bytes : {1UL, 7UL, 8UL, 9UL, 24UL, 100UL, 5000UL}) {
        for (std::size_t alignment = 1; alignment <= 4096; alignment *= 2) {
            RecordingHeap backing;
            {
                SlotPool pool({.backing = backing.allocator(),
                               .slot_bytes = slot_bytes,
                               .alignment = std::align_val_t{alignment},
                               .first_chunk_slots = 3,
                               .growable = true});
                CHECK(pool.slot_bytes() >= slot_bytes);
                CHECK(pool.slot_bytes() % static_cast<std::size_t>(pool.alignment()) == 0);
                CHECK(pool.slot_bytes() < slot_bytes + std::max(alignment, 8UL));
                for (int i = 0; i < 10; ++i) {
                    void* const slot = pool.take();
                    REQUIRE(slot != nullptr);
                    CHECK(reinterpret_cast<std::uintptr_t>(slot) % alignment == 0);
                    std::memset(slot, i, slot_bytes);
                    if (i % 3 == 0) pool.give(slot);
                }
                CHECK(pool.is_valid());
            }
            CHECK(backing.live.empty());
            CHECK(backing.mistake.empty());
        }
    }
}

TEST_CASE("slot pool: random takes and gives agree with a model") {
    SlotPool pool(options_for(c_allocator(), 24));
    std::vector<unsigned char*> lent;
    std::set<void*> addresses;
    testing::Random random(5);
    for (int i = 0; i < 20'000; ++i) {
        if (lent.empty() || (lent.size() < 500 && random.below(2) == 0)) {
            lent.push_back(static_cast<unsigned char*>(pool.take()));
            REQUIRE(lent.back() != nullptr);
            REQUIRE(addresses.insert(lent.back()).second);
            std::memset(lent.back(), static_cast<int>(lent.size() % 256), 24);
        } else {
            const std::size_t index = random.below(lent.size());
            std::swap(lent[index], lent.back());
            for (int byte = 1; byte < 24; ++byte) REQUIRE(lent.back()[byte] == lent.back()[0]);
            addresses.erase(lent.back());
            pool.give(lent.back());
            lent.pop_back();
        }
        REQUIRE(pool.live_count() == lent.size());
        if (i % 500 == 0) REQUIRE(pool.is_valid());
    }
    CHECK(pool.capacity_count() < 1024);
}

TEST_CASE("slot pool: the slot that came back last is lent next") {
    SlotPool pool(options_for(c_allocator(), 24));
    void* const first = pool.take();
    void* const second = pool.take();
    CHECK(second == static_cast<std::byte*>(first) + 24);  // Fresh ones in order of address.
    pool.give(first);
    CHECK(pool.take() == first);
}

TEST_CASE("slot pool: chunks double up to 256 KiB") {
    RecordingHeap backing;
    SlotPool pool(options_for(backing.allocator(), 1024, 64));
    std::vector<std::size_t> sizes;
    while (sizes.size() < 5) {
        REQUIRE(pool.take() != nullptr);
        if (backing.alloc_count > sizes.size()) sizes.push_back(backing.newest.size_bytes);
    }
    constexpr std::size_t header_bytes = 32;
    const std::vector<std::size_t> expected = {
        header_bytes + (64 << 10), header_bytes + (128 << 10), header_bytes + (256 << 10),
        header_bytes + (256 << 10), header_bytes + (256 << 10)};
    CHECK(sizes == expected);
    CHECK(pool.capacity_count() == 64 + 128 + 3 * 256);
    CHECK(pool.capacity_bytes() == 5 * header_bytes + ((64 + 128 + 3 * 256) << 10));
}

TEST_CASE("slot pool: lends every slot of its chunks, far more than it threads at once") {
    RecordingHeap backing;
    SlotPool pool(options_for(backing.allocator(), 16, 1000, false));
    REQUIRE(pool.preheat(1000).has_value());
    std::set<void*> slots;
    for (int i = 0; i < 1000; ++i) slots.insert(pool.take());
    CHECK(slots.size() == 1000);
    CHECK_FALSE(slots.contains(nullptr));
    CHECK(pool.take() == nullptr);
    CHECK(pool.is_valid());
    CHECK(backing.alloc_count == 1);
    for (void* const slot : slots) CHECK(pool.owns(slot));
}

TEST_CASE("slot pool: preheating makes room for that many takes and no fewer") {
    RecordingHeap backing;
    SlotPool pool(options_for(backing.allocator(), 16));
    for (int i = 0; i < 3; ++i) REQUIRE(pool.take() != nullptr);
    REQUIRE(pool.preheat(100).has_value());
    CHECK(pool.capacity_count() == 4 + 99);  // One of the first four was free.
    const std::size_t call_count = backing.call_count();
    REQUIRE(pool.preheat(100).has_value());
    for (int i = 0; i < 100; ++i) REQUIRE(pool.take() != nullptr);
    CHECK(backing.call_count() == call_count);
    CHECK(pool.is_valid());
    CHECK(pool.take() != nullptr);
    CHECK(backing.call_count() == call_count + 1);
}

TEST_CASE("slot pool: preheating for more than there can be is out of memory") {
    SlotPool pool(options_for(c_allocator(), 16));
    for (const std::size_t slot_count : {SIZE_MAX, SIZE_MAX / 16, SIZE_MAX / 16 + 1}) {
        CHECK_FALSE(pool.preheat(slot_count).has_value());
    }
    CHECK(pool.capacity_count() == 0);
    CHECK(pool.take() != nullptr);
}

TEST_CASE("slot pool: a failed chunk changes nothing") {
    FailingAllocator backing({.backing = c_allocator(), .alloc_index = 1});
    SlotPool pool(options_for(backing.allocator(), 16));
    for (int i = 0; i < 4; ++i) REQUIRE(pool.take() != nullptr);
    CHECK(pool.take() == nullptr);
    CHECK(pool.is_valid());
    CHECK(pool.live_count() == 4);
    CHECK(pool.take() != nullptr);
    CHECK(pool.is_valid());
}

TEST_CASE("slot pool: freed chunks go back, and forgotten slots are lent again") {
    RecordingHeap backing;
    SlotPool pool(options_for(backing.allocator(), 16));
    std::set<void*> first_round;
    for (int i = 0; i < 300; ++i) first_round.insert(pool.take());
    const std::size_t capacity_count = pool.capacity_count();
    const std::size_t call_count = backing.call_count();
    pool.forget_slots();
    CHECK(pool.is_valid());
    CHECK(pool.live_count() == 0);
    std::set<void*> second_round;
    for (std::size_t i = 0; i < capacity_count; ++i) second_round.insert(pool.take());
    CHECK(second_round.size() == capacity_count);
    CHECK(backing.call_count() == call_count);
    CHECK(pool.is_valid());

    pool.free_chunks();
    CHECK(backing.live.empty());
    CHECK(pool.capacity_count() == 0);
    CHECK(pool.capacity_bytes() == 0);
    CHECK(pool.is_valid());
    CHECK(pool.take() != nullptr);
    CHECK(backing.mistake.empty());
}

TEST_CASE("slot pool: owns the beginnings of its slots and nothing else") {
    SlotPool pool(options_for(c_allocator(), 24, 4, false));
    REQUIRE(pool.preheat(4).has_value());
    auto* const first = static_cast<std::byte*>(pool.take());
    CHECK(pool.owns(first));
    CHECK(pool.owns(first + 24));  // Not lent out.
    CHECK_FALSE(pool.owns(first + 8));
    CHECK_FALSE(pool.owns(first - 24));
    CHECK(pool.owns(first + 72));
    CHECK_FALSE(pool.owns(first + 96));
    CHECK_FALSE(pool.owns(nullptr));
}

TEST_CASE("slot pool: is_valid sees a slot that was given twice") {
    if (CARBIDE_ASAN) return;  // Reports the second one itself.
    SlotPool pool(options_for(c_allocator(), 24));
    void* const slot = pool.take();
    void* const other = pool.take();
    CHECK(other != nullptr);
    pool.give(slot);
    CHECK(pool.is_valid());
    pool.give(slot);
    CHECK_FALSE(pool.is_valid());
}

TEST_CASE("slot pool: more slots back than were lent stop the program") {
    const ChildResult child = tests::run_in_child([] {
        SlotPool pool(options_for(c_allocator(), 24));
        void* const slot = pool.take();
        pool.give(slot);
        pool.give(slot);
    });
    CHECK(child.trapped());
    CHECK(child.wrote("carbide: a pool got more slots back than it gave"));
}

#if CARBIDE_ASAN
using tests::accessible_bytes;

TEST_CASE("slot pool: only the slots that it lends are accessible") {
    SlotPool pool(options_for(c_allocator(), 24, 100));
    auto* const first = static_cast<std::byte*>(pool.take());
    CHECK(accessible_bytes(first, 2400) == 24);
    for (int i = 1; i < 70; ++i) REQUIRE(pool.take() != nullptr);
    CHECK(accessible_bytes(first, 2400) == 70 * 24);
    pool.give(first);
    CHECK(accessible_bytes(first, 24) == 0);
    CHECK(pool.is_valid());
    CHECK(accessible_bytes(first, 24) == 0);
    CHECK(pool.take() == first);
    CHECK(accessible_bytes(first, 24) == 24);
    pool.forget_slots();
    CHECK(accessible_bytes(first, 2400) == 0);
}
#endif

}  // namespace
}  // namespace carbide
