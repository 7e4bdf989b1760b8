// SPDX-License-Identifier: MIT
#include "carbide/heap_operations.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <thread>
#include <type_traits>

#include "support/bump_heap.hpp"
#include "support/counted.hpp"
#include "support/recording_heap.hpp"

using carbide::tests::BumpHeap;
using carbide::tests::Counted;
using carbide::tests::RecordingHeap;

TEST_CASE("heap operations: an allocator neither copies nor moves") {
    CHECK_FALSE(std::is_copy_constructible_v<RecordingHeap>);
    CHECK_FALSE(std::is_move_constructible_v<RecordingHeap>);
    CHECK_FALSE(std::is_copy_assignable_v<RecordingHeap>);
    CHECK_FALSE(std::is_move_assignable_v<RecordingHeap>);
    // And is no Heap to anybody else: a handle is made by allocator() alone.
    CHECK_FALSE(std::is_convertible_v<RecordingHeap&, carbide::Heap&>);
}

TEST_CASE("heap operations: the allocator itself offers every typed operation") {
    Counted::live = 0;
    RecordingHeap heap;
    heap.free(heap.alloc<int>(3).value());
    heap.free(heap.alloc_zeroed<int>(3).value());
    heap.free(heap.alloc_aligned<int, 64>(3).value());
    heap.free(heap.alloc_sentinel<int, 7>(3).value());
    heap.free(heap.must_alloc<int>(3));
    heap.free(heap.dupe("text").value());
    heap.free(heap.dupe_z("text").value());
    const int numbers[] = {1, 2, 3};
    heap.free(heap.dupe(std::span<const int>(numbers)).value());
    heap.destroy(heap.create<Counted>(1).value());
    heap.destroy(heap.must_create<Counted>(2));
    CHECK(Counted::live == 0);
    CHECK(heap.alloc_count == 10);
    CHECK(heap.free_count == 10);
    CHECK(heap.live.empty());
    CHECK(heap.mistake.empty());
}

TEST_CASE("heap operations: the allocator itself grows and shrinks slices") {
    RecordingHeap heap;
    std::span<int> slice = heap.must_alloc<int>(4);
    slice[0] = 5;
    CHECK_FALSE(heap.resize(slice, 5));
    CHECK_FALSE(heap.remap(slice, 5).has_value());
    slice = heap.realloc(slice, 2000).value();
    CHECK(slice[0] == 5);
    heap.can_remap = true;
    const std::optional<std::span<int>> moved = heap.remap(slice, 3000);
    REQUIRE(moved.has_value());
    CHECK((*moved)[0] == 5);
    heap.free(*moved);
    CHECK(heap.live.empty());
    CHECK(heap.mistake.empty());
}

TEST_CASE("heap operations: the allocator itself offers the raw operations") {
    constexpr std::align_val_t word{8};
    RecordingHeap heap;
    heap.can_resize = true;
    heap.can_remap = true;
    void* memory = heap.raw_alloc(8, word);
    CHECK(heap.raw_resize(memory, 8, 16, word));
    memory = heap.raw_remap(memory, 16, 24, word);
    memory = heap.raw_realloc(memory, 24, 32, word);
    heap.raw_free(memory, 32, word);
    CHECK(heap.live.empty());
    CHECK(heap.mistake.empty());
}

TEST_CASE("heap operations: the allocator and its handle draw from one window") {
    BumpHeap<64> heap;
    int* const direct = heap.must_create<int>(1);
    int* const injected = heap.allocator().must_create<int>(2);
    CHECK(reinterpret_cast<std::uintptr_t>(injected) ==
          reinterpret_cast<std::uintptr_t>(direct) + 8);
    heap.destroy(injected);
    heap.allocator().destroy(direct);
    CHECK(heap.used_bytes() == 0);
}

TEST_CASE("heap operations: the name is that of the allocator, and of its handles") {
    RecordingHeap heap("named");
    CHECK(std::string_view(heap.name()) == "named");
    CHECK(std::string_view(heap.allocator().name()) == "named");
}

TEST_CASE("heap operations: a heap that was detached belongs to the next thread that uses it") {
    BumpHeap<256> heap;
    carbide::detail::check_owner(heap.allocator().heap());
    heap.detach_from_thread();
    CHECK(heap.allocator().heap().owner == carbide::Heap::owner_unclaimed);
    std::uintptr_t claimed_by = 0;
    std::thread([&] {
        carbide::detail::check_owner(heap.allocator().heap());
        claimed_by = heap.allocator().heap().owner;
        heap.detach_from_thread();
    }).join();
    CHECK(claimed_by != carbide::detail::current_owner());
    carbide::detail::check_owner(heap.allocator().heap());
    CHECK(heap.allocator().heap().owner == carbide::detail::current_owner());
}

TEST_CASE("heap operations: what is created without exceptions may be used without them") {
    RecordingHeap heap;
    CHECK(noexcept(heap.alloc<int>(1)));
    CHECK(noexcept(heap.create<Counted>(1)));
    CHECK_FALSE(noexcept(heap.create<carbide::tests::Throwing>()));
    CHECK_THROWS_AS(static_cast<void>(heap.create<carbide::tests::Throwing>()), int);
    CHECK(heap.live.empty());
}
