// SPDX-License-Identifier: MIT
#include "carbide/failing_allocator.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "carbide/c_allocator.hpp"
#include "carbide/recovery_scope.hpp"
#include "support/recording_heap.hpp"

namespace carbide {
namespace {

using Repeat = FailingAllocator::Repeat;

// Which of `count` allocs of 8 bytes succeed, '+' or '-'. What was had is freed.
std::string outcomes(Allocator allocator, std::size_t count) {
    std::string text;
    std::vector<std::span<std::byte>> lent;
    for (std::size_t index = 0; index < count; ++index) {
        const auto slice = allocator.alloc<std::byte>(8);
        text += slice.has_value() ? '+' : '-';
        if (slice.has_value()) lent.push_back(*slice);
    }
    for (const auto& slice : lent) allocator.free(slice);
    return text;
}

// The same for resizes, each by one byte more.
std::string resize_outcomes(Allocator allocator, std::size_t count) {
    std::string text;
    auto slice = allocator.must_alloc<std::byte>(8);
    for (std::size_t index = 0; index < count; ++index) {
        const bool resized = allocator.resize(slice, slice.size() + 1);
        text += resized ? '+' : '-';
        if (resized) slice = {slice.data(), slice.size() + 1};
    }
    allocator.free(slice);
    return text;
}

TEST_CASE("failing: without a plan nothing fails") {
    FailingAllocator failing({.backing = c_allocator()});
    CHECK(outcomes(failing.allocator(), 5) == "+++++");
    CHECK_FALSE(failing.has_induced_failure());
    CHECK(failing.induced_failure_count() == 0);
}

TEST_CASE("failing: the alloc with the planned index fails, and no other") {
    FailingAllocator failing({.backing = c_allocator(), .alloc_index = 2});
    CHECK(outcomes(failing.allocator(), 5) == "++-++");
    CHECK(failing.has_induced_failure());
    CHECK(failing.induced_failure_count() == 1);
}

TEST_CASE("failing: index 0 is the first alloc") {
    FailingAllocator failing({.backing = c_allocator(), .alloc_index = 0});
    CHECK(outcomes(failing.allocator(), 3) == "-++");
}

TEST_CASE("failing: from there on every later alloc fails") {
    FailingAllocator failing(
        {.backing = c_allocator(), .alloc_index = 2, .repeat = Repeat::from_there_on});
    CHECK(outcomes(failing.allocator(), 6) == "++----");
    CHECK(failing.induced_failure_count() == 4);
}

TEST_CASE("failing: an induced failure never reaches the backing") {
    tests::RecordingHeap backing;
    backing.can_resize = backing.can_remap = true;
    FailingAllocator failing({.backing = backing.allocator(),
                              .alloc_index = 1,
                              .resize_index = 0,
                              .repeat = Repeat::from_there_on});
    const Allocator handle = failing.allocator();
    const auto slice = handle.must_alloc<int>(4);
    CHECK_FALSE(handle.alloc<int>(4).has_value());
    CHECK_FALSE(handle.resize(slice, 2));
    CHECK_FALSE(handle.remap(slice, 8).has_value());
    CHECK(backing.call_count() == 1);
    handle.free(slice);
    CHECK(backing.live.empty());
    CHECK(backing.mistake.empty());
}

TEST_CASE("failing: resizes and remaps share one index") {
    tests::RecordingHeap backing;
    backing.can_resize = backing.can_remap = true;
    FailingAllocator failing({.backing = backing.allocator(), .resize_index = 1});
    const Allocator handle = failing.allocator();
    auto slice = handle.must_alloc<std::byte>(8);
    REQUIRE(handle.resize(slice, 16));
    slice = {slice.data(), 16};
    CHECK_FALSE(handle.remap(slice, 32).has_value());
    const auto moved = handle.remap(slice, 32);
    REQUIRE(moved.has_value());
    CHECK(failing.resize_count() == 3);
    CHECK(failing.alloc_count() == 1);
    CHECK(failing.induced_failure_count() == 1);
    handle.free(*moved);
}

TEST_CASE("failing: the resize index does not touch allocs, nor the alloc index resizes") {
    tests::RecordingHeap backing;
    backing.can_resize = true;
    FailingAllocator failing({.backing = backing.allocator(), .resize_index = 1});
    CHECK(resize_outcomes(failing.allocator(), 4) == "+-++");
    CHECK(outcomes(failing.allocator(), 4) == "++++");

    failing.rearm({.alloc_index = 2});
    CHECK(resize_outcomes(failing.allocator(), 4) == "++++");
    CHECK(failing.alloc_count() == 1);
}

TEST_CASE("failing: from there on every later resize fails") {
    tests::RecordingHeap backing;
    backing.can_resize = true;
    FailingAllocator failing(
        {.backing = backing.allocator(), .resize_index = 1, .repeat = Repeat::from_there_on});
    CHECK(resize_outcomes(failing.allocator(), 4) == "+---");
    CHECK(outcomes(failing.allocator(), 4) == "++++");
}

TEST_CASE("failing: all from there on takes in requests of the other kind") {
    tests::RecordingHeap backing;
    backing.can_resize = true;
    FailingAllocator failing(
        {.backing = backing.allocator(), .alloc_index = 2, .repeat = Repeat::all_from_there_on});
    CHECK(resize_outcomes(failing.allocator(), 2) == "++");
    CHECK(outcomes(failing.allocator(), 3) == "+--");
    const auto slice = backing.allocator().must_alloc<std::byte>(8);
    CHECK_FALSE(failing.allocator().resize(slice, 9));
    backing.allocator().free(slice);

    failing.rearm({.resize_index = 1, .repeat = Repeat::all_from_there_on});
    CHECK(resize_outcomes(failing.allocator(), 3) == "+--");
    CHECK(outcomes(failing.allocator(), 2) == "--");
}

// Two places, so that their stacks differ.
[[gnu::noinline]] bool ask_here(Allocator allocator) {
    const auto slice = allocator.alloc<int>(4);
    asm volatile("");  // Keeps the frame.
    return slice.has_value();
}
[[gnu::noinline]] bool ask_there(Allocator allocator) {
    const auto slice = allocator.alloc<int>(5);
    asm volatile("");
    return slice.has_value();
}

TEST_CASE("failing: an induced failure has a stack that tells places apart, and no other does") {
    FailingAllocator failing(
        {.backing = c_allocator(), .alloc_index = 0, .repeat = Repeat::from_there_on});
    CHECK(failing.induced_failure_trace().is_empty());
    int count = 2;
    asm("" : "+r"(count));  // Unrolled it would be two places.
    for (int i = 0; i < count; ++i) {
        CHECK_FALSE(ask_here(failing.allocator()));
    }
    const StackTrace here = failing.induced_failure_trace();
    CHECK(here.frame_count() >= 2);
    CHECK(here == failing.first_induced_failure_trace());

    CHECK_FALSE(ask_there(failing.allocator()));
    CHECK(failing.induced_failure_trace() != here);
    CHECK(failing.first_induced_failure_trace() == here);

    failing.rearm();
    CHECK(failing.induced_failure_trace().is_empty());
    CHECK(failing.first_induced_failure_trace().is_empty());
}

TEST_CASE("failing: the stack begins at the function that asked") {
    FailingAllocator failing({.backing = c_allocator(), .alloc_index = 0});
    CHECK_FALSE(ask_here(failing.allocator()));
    const StackTrace trace = failing.induced_failure_trace();
    REQUIRE(trace.frame_count() >= 1);
    const auto begin = reinterpret_cast<std::uintptr_t>(&ask_here);
    // An optimiser may put a call through the table into a function of its own.
    const std::uintptr_t first = trace.return_address(0);
    const std::uintptr_t second = trace.frame_count() > 1 ? trace.return_address(1) : 0;
    const bool is_inside =
        (first > begin && first < begin + 1000) || (second > begin && second < begin + 1000);
    CHECK(is_inside);
}

TEST_CASE("failing: stacks have as many frames as the options say") {
    FailingAllocator one({.backing = c_allocator(), .alloc_index = 0, .stack_frame_count = 1});
    FailingAllocator none({.backing = c_allocator(), .alloc_index = 0, .stack_frame_count = 0});
    CHECK_FALSE(ask_here(one.allocator()));
    CHECK_FALSE(ask_here(none.allocator()));
    CHECK(one.induced_failure_trace().frame_count() == 1);
    CHECK(none.induced_failure_trace().is_empty());
    CHECK(none.has_induced_failure());
}

TEST_CASE("failing: failed allocs are to be reported, unless recovery is intended") {
    tests::RecordingHeap backing;
    backing.can_resize = true;
    FailingAllocator failing(
        {.backing = backing.allocator(), .resize_index = 0, .repeat = Repeat::all_from_there_on});
    CHECK(resize_outcomes(failing.allocator(), 1) == "-");
    CHECK(failing.reportable_failure_count() == 0);
    {
        const RecoveryScope scope;
        CHECK(outcomes(failing.allocator(), 1) == "-");
    }
    CHECK(failing.reportable_failure_count() == 0);
    CHECK(outcomes(failing.allocator(), 2) == "--");
    CHECK(failing.reportable_failure_count() == 2);
    CHECK(failing.induced_failure_count() == 4);
    failing.rearm();
    CHECK(failing.reportable_failure_count() == 0);
}

TEST_CASE("failing: where a remap fails, realloc copies") {
    FailingAllocator failing({.backing = c_allocator(), .resize_index = 0});
    const Allocator handle = failing.allocator();
    auto numbers = handle.must_alloc<int>(2);
    numbers[0] = 11;
    numbers[1] = 22;
    const auto grown = handle.realloc(numbers, 100);
    REQUIRE(grown.has_value());
    CHECK((*grown)[0] == 11);
    CHECK((*grown)[1] == 22);
    CHECK(failing.resize_count() == 1);
    CHECK(failing.alloc_count() == 2);
    CHECK(failing.free_count() == 1);
    handle.free(*grown);
    CHECK(failing.allocated_bytes() == failing.freed_bytes());
}

TEST_CASE("failing: realloc fails where the remap and its alloc fail, and keeps the old") {
    FailingAllocator failing({.backing = c_allocator(), .alloc_index = 1, .resize_index = 0});
    const Allocator handle = failing.allocator();
    auto numbers = handle.must_alloc<int>(2);
    numbers[0] = 11;
    CHECK_FALSE(handle.realloc(numbers, 100).has_value());
    CHECK(numbers[0] == 11);
    CHECK(failing.induced_failure_count() == 2);
    handle.free(numbers);
    CHECK(failing.allocated_bytes() == failing.freed_bytes());
}

TEST_CASE("failing: what reaches no allocator has no index") {
    FailingAllocator failing({.backing = c_allocator(),
                              .alloc_index = 1,
                              .resize_index = 0,
                              .repeat = Repeat::from_there_on});
    const Allocator handle = failing.allocator();
    CHECK(handle.alloc<int>(0).has_value());
    const auto numbers = handle.must_alloc<int>(4);
    CHECK(handle.alloc<int>(0).has_value());
    CHECK(handle.resize(numbers, 4));
    CHECK(handle.resize(numbers, 0));  // A free.
    CHECK(failing.alloc_count() == 1);
    CHECK(failing.resize_count() == 0);
    CHECK(failing.free_count() == 1);
}

TEST_CASE("failing: bytes are counted where they were lent, by the difference for resizes") {
    tests::RecordingHeap backing;
    backing.can_resize = backing.can_remap = true;
    FailingAllocator failing({.backing = backing.allocator(), .alloc_index = 1});
    const Allocator handle = failing.allocator();
    auto slice = handle.must_alloc<std::byte>(100);
    CHECK_FALSE(handle.alloc<std::byte>(1000).has_value());
    CHECK(failing.allocated_bytes() == 100);

    REQUIRE(handle.resize(slice, 150));
    slice = {slice.data(), 150};
    CHECK(failing.allocated_bytes() == 150);
    REQUIRE(handle.resize(slice, 30));
    slice = {slice.data(), 30};
    CHECK(failing.freed_bytes() == 120);
    const auto moved = handle.remap(slice, 40);
    REQUIRE(moved.has_value());
    CHECK(failing.allocated_bytes() == 160);

    backing.can_resize = backing.can_remap = backing.can_alloc = false;
    CHECK_FALSE(handle.resize(*moved, 80));
    CHECK_FALSE(handle.remap(*moved, 80).has_value());
    CHECK_FALSE(handle.alloc<std::byte>(1000).has_value());
    CHECK(failing.allocated_bytes() == 160);
    CHECK(failing.induced_failure_count() == 1);

    handle.free(*moved);
    CHECK(failing.freed_bytes() == 160);
    CHECK(failing.free_count() == 1);
}

TEST_CASE("failing: requests are counted whether they succeed or not") {
    FailingAllocator failing({.backing = c_allocator(), .alloc_index = 1});
    static_cast<void>(outcomes(failing.allocator(), 4));
    CHECK(failing.alloc_count() == 4);
    CHECK(failing.free_count() == 3);
}

TEST_CASE("failing: rearmed, it counts from 0 and follows the new plan") {
    FailingAllocator failing({.backing = c_allocator(), .alloc_index = 0});
    CHECK(outcomes(failing.allocator(), 2) == "-+");
    failing.rearm({.alloc_index = 1, .repeat = Repeat::from_there_on});
    CHECK(failing.alloc_count() == 0);
    CHECK(failing.free_count() == 0);
    CHECK(failing.allocated_bytes() == 0);
    CHECK(failing.freed_bytes() == 0);
    CHECK_FALSE(failing.has_induced_failure());
    CHECK(outcomes(failing.allocator(), 3) == "+--");
    failing.rearm();
    CHECK(outcomes(failing.allocator(), 3) == "+++");
    CHECK_FALSE(failing.has_induced_failure());
}

TEST_CASE("failing: alignments reach the backing unchanged") {
    tests::RecordingHeap backing;
    FailingAllocator failing({.backing = backing.allocator()});
    for (std::size_t alignment_bytes = 1; alignment_bytes <= 65536; alignment_bytes *= 2) {
        const std::align_val_t alignment{alignment_bytes};
        void* const memory = failing.allocator().raw_alloc(24, alignment);
        REQUIRE(memory != nullptr);
        CHECK(backing.newest == tests::RecordingHeap::Lent{24, alignment_bytes});
        failing.allocator().raw_free(memory, 24, alignment);
    }
    CHECK(backing.mistake.empty());
    CHECK(backing.live.empty());
}

TEST_CASE("failing: its name is the one in the options") {
    FailingAllocator plain({.backing = c_allocator()});
    FailingAllocator named({.backing = c_allocator(), .name = "third fails"});
    CHECK(std::string_view(plain.name()) == "failing");
    CHECK(std::string_view(named.allocator().name()) == "third fails");
}

TEST_CASE("failing: among many threads exactly one request fails, and none is lost") {
    constexpr std::size_t thread_count = 4;
    constexpr std::size_t round_count = 500;
    FailingAllocator failing({.backing = c_allocator(), .alloc_index = 700});
    std::atomic<std::size_t> failed = 0;
    {
        std::vector<std::jthread> threads;
        for (std::size_t thread = 0; thread < thread_count; ++thread) {
            threads.emplace_back([&] {
                for (std::size_t round = 0; round < round_count; ++round) {
                    const auto slice = failing.allocator().alloc<std::byte>(1 + round % 50);
                    if (slice.has_value()) {
                        failing.allocator().free(*slice);
                    } else {
                        ++failed;
                    }
                }
            });
        }
    }
    CHECK(failed == 1);
    CHECK(failing.induced_failure_count() == 1);
    CHECK(failing.alloc_count() == thread_count * round_count);
    CHECK(failing.free_count() == thread_count * round_count - 1);
    CHECK(failing.allocated_bytes() == failing.freed_bytes());
}

}  // namespace
}  // namespace carbide
