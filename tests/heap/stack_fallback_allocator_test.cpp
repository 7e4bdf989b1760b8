// SPDX-License-Identifier: MIT
#include "carbide/stack_fallback_allocator.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <new>
#include <ostream>
#include <string_view>

#include "carbide/c_allocator.hpp"
#include "carbide/null_allocator.hpp"
#include "carbide/testing/allocator_contract.hpp"
#include "support/accessible.hpp"
#include "support/recording_heap.hpp"

namespace carbide {
namespace {

using testing::check_allocator_contract;
using testing::check_out_of_memory;
using tests::RecordingHeap;

constexpr std::align_val_t unaligned{1};

TEST_CASE("stack fallback: keeps the contract with a buffer of any size") {
    StackFallbackAllocator<8> least(c_allocator());
    CHECK(check_allocator_contract(least.allocator()).message() == "");
    StackFallbackAllocator<1000> odd(c_allocator());
    CHECK(check_allocator_contract(odd.allocator()).message() == "");
    StackFallbackAllocator<64 << 10> large(c_allocator());
    CHECK(check_allocator_contract(large.allocator()).message() == "");
    StackFallbackAllocator<4096> alone(null_allocator());
    CHECK(check_allocator_contract(alone.allocator(), {.may_run_out = true}).message() == "");
    StackFallbackAllocator<512> inner(large.allocator());
    CHECK(check_allocator_contract(inner.allocator()).message() == "");
}

TEST_CASE("stack fallback: survives out of memory at every point and gives everything back") {
    CHECK(check_out_of_memory([](Allocator backing, auto run_on) {
              StackFallbackAllocator<1024> stack(backing);
              run_on(stack.allocator());
          }).message() == "");
}

TEST_CASE("stack fallback: what fits never reaches the fallback") {
    RecordingHeap fallback;
    StackFallbackAllocator<64> stack(fallback.allocator());
    void* const first = stack.raw_alloc(40, unaligned);
    void* const second = stack.raw_alloc(24, unaligned);
    CHECK(stack.owns(first));
    CHECK(stack.owns(second));
    CHECK(stack.used_bytes() == 64);
    stack.raw_free(second, 24, unaligned);
    CHECK(stack.used_bytes() == 40);
    CHECK(stack.raw_resize(first, 40, 64, unaligned));
    CHECK(stack.raw_resize(first, 64, 1, unaligned));
    stack.raw_free(first, 1, unaligned);
    CHECK(stack.used_bytes() == 0);
    CHECK(fallback.call_count() == 0);
}

TEST_CASE("stack fallback: what does not fit goes to the fallback and back there") {
    RecordingHeap fallback;
    fallback.can_resize = fallback.can_remap = true;
    StackFallbackAllocator<64> stack(fallback.allocator());
    void* const inside = stack.raw_alloc(60, unaligned);
    void* const outside = stack.raw_alloc(9, std::align_val_t{32});
    CHECK_FALSE(stack.owns(outside));
    CHECK(fallback.newest == RecordingHeap::Lent{9, 32});
    CHECK(stack.raw_resize(outside, 9, 20, std::align_val_t{32}));
    void* const moved = stack.raw_remap(outside, 20, 100, std::align_val_t{32});
    CHECK(moved != nullptr);
    stack.raw_free(moved, 100, std::align_val_t{32});
    CHECK(fallback.live.empty());
    CHECK(fallback.mistake.empty());
    CHECK(stack.raw_remap(inside, 60, 65, unaligned) == nullptr);
    CHECK(fallback.free_count == 1);
    stack.raw_free(inside, 60, unaligned);
    CHECK(fallback.free_count == 1);
}

TEST_CASE("stack fallback: growth beyond the buffer moves the content to the fallback") {
    RecordingHeap fallback;
    StackFallbackAllocator<64> stack(fallback.allocator());
    const auto text = stack.dupe("what fits in the buffer");
    REQUIRE(text.has_value());
    CHECK(stack.owns(text->data()));
    const auto grown = stack.realloc(*text, 1000);
    REQUIRE(grown.has_value());
    CHECK_FALSE(stack.owns(grown->data()));
    CHECK(std::memcmp(grown->data(), "what fits in the buffer", 23) == 0);
    CHECK(stack.used_bytes() == 0);
    stack.free(*grown);
    CHECK(fallback.live.empty());
    CHECK(fallback.mistake.empty());
}

TEST_CASE("stack fallback: a request that the fallback refuses is out of memory") {
    StackFallbackAllocator<64> stack(null_allocator());
    CHECK(stack.raw_alloc(65, unaligned) == nullptr);
    void* const all = stack.raw_alloc(64, unaligned);
    CHECK(all != nullptr);
    CHECK(stack.raw_alloc(1, unaligned) == nullptr);
    CHECK(stack.raw_realloc(all, 64, 65, unaligned) == nullptr);
    CHECK(stack.used_bytes() == 64);
}

TEST_CASE("stack fallback: owns its buffer to the byte") {
    StackFallbackAllocator<64> stack(null_allocator());
    auto* const begin = static_cast<std::byte*>(stack.raw_alloc(64, unaligned));
    CHECK(stack.owns(begin));
    CHECK(stack.owns(begin + 63));
    CHECK_FALSE(stack.owns(begin + 64));
    CHECK_FALSE(stack.owns(begin - 1));
    CHECK_FALSE(stack.owns(nullptr));
}

#if CARBIDE_ASAN
using tests::accessible_bytes;

TEST_CASE("stack fallback: only the bytes that it lends are accessible") {
    using Stack = StackFallbackAllocator<512>;
    alignas(Stack) std::byte storage[sizeof(Stack)];
    {
        auto* const stack = ::new (storage) Stack(c_allocator());
        const Allocator handle = stack->allocator();
        auto* const inlined = static_cast<std::byte*>(handle.raw_alloc(20, unaligned));
        CHECK(accessible_bytes(inlined, 512) == 20);
        void* const padded = handle.raw_alloc(20, std::align_val_t{64});
        CHECK(accessible_bytes(padded, 20) == 20);
        CHECK(accessible_bytes(inlined, 512) == 40);
        CHECK(handle.raw_resize(padded, 20, 9, unaligned));
        CHECK(accessible_bytes(inlined, 512) == 29);
        handle.raw_free(inlined, 20, unaligned);
        CHECK(accessible_bytes(inlined, 512) == 9);
        handle.raw_free(padded, 9, std::align_val_t{64});
        CHECK(accessible_bytes(inlined, 512) == 0);
        stack->~Stack();
    }
    CHECK(accessible_bytes(storage, sizeof storage) == sizeof storage);
}
#endif

}  // namespace
}  // namespace carbide
