// SPDX-License-Identifier: MIT
#include "carbide/fixed_buffer_allocator.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <ostream>
#include <string_view>
#include <thread>
#include <vector>

#include "carbide/testing/allocator_contract.hpp"
#include "support/accessible.hpp"
#include "support/child_process.hpp"

namespace carbide {
namespace {

using testing::check_allocator_contract;
using testing::check_shared_allocator;
using tests::ChildResult;
using tests::run_in_child;
using Bytes = std::span<std::byte>;

constexpr std::align_val_t unaligned{1};
constexpr std::size_t address_space_bytes = SIZE_MAX;

TEST_CASE("fixed buffer: keeps the contract") {
    std::vector<std::byte> bytes(4 << 20);
    FixedBufferAllocator buffer(bytes);
    CHECK(check_allocator_contract(buffer.allocator(), {.may_run_out = true}).message() == "");
    buffer.reset();
    CHECK(check_allocator_contract(buffer.allocator(), {.may_run_out = true}).message() == "");
}

TEST_CASE("fixed buffer: keeps the contract in a buffer of any size at any address") {
    alignas(16) std::array<std::byte, 256> bytes;
    for (std::size_t offset = 0; offset < 16; ++offset) {
        for (std::size_t size_bytes = 0; size_bytes <= 200; size_bytes += size_bytes < 40 ? 1 : 9) {
            FixedBufferAllocator buffer(Bytes(bytes).subspan(offset, size_bytes));
            CHECK(check_allocator_contract(buffer.allocator(), {.size_bytes_max = 200,
                                                                .alignment_max = unaligned,
                                                                .may_run_out = true,
                                                                .operation_count = 300,
                                                                .live_bytes_max = 400})
                      .message() == "");
        }
    }
}

TEST_CASE("fixed buffer: one allocation can have the whole buffer, wherever it lies") {
    alignas(16) std::array<std::byte, 256> bytes;
    for (std::size_t offset = 0; offset < 16; ++offset) {
        for (std::size_t size_bytes = 1; size_bytes <= 200; ++size_bytes) {
            FixedBufferAllocator buffer(Bytes(bytes).subspan(offset, size_bytes));
            CHECK(buffer.raw_alloc(size_bytes + 1, unaligned) == nullptr);
            for (int round = 0; round < 2; ++round) {
                void* const all = buffer.raw_alloc(size_bytes, unaligned);
                REQUIRE(all == bytes.data() + offset);
                std::memset(all, 1, size_bytes);
                CHECK(buffer.used_bytes() == size_bytes);
                CHECK(buffer.raw_alloc(1, unaligned) == nullptr);
                buffer.raw_free(all, size_bytes, unaligned);
                CHECK(buffer.used_bytes() == 0);
            }
            // The same by growth of a small one, and back.
            void* const small = buffer.raw_alloc(1, unaligned);
            const std::size_t room_bytes =
                size_bytes -
                static_cast<std::size_t>(static_cast<std::byte*>(small) - (bytes.data() + offset));
            CHECK_FALSE(buffer.raw_resize(small, 1, room_bytes + 1, unaligned));
            CHECK(buffer.raw_resize(small, 1, room_bytes / 8 * 8, unaligned));
            buffer.raw_free(small, room_bytes / 8 * 8, unaligned);
            CHECK(buffer.used_bytes() == 0);
        }
    }
}

TEST_CASE("fixed buffer: the odd bytes at its end serve an allocation that needs them") {
    alignas(16) std::array<std::byte, 100> bytes;
    FixedBufferAllocator buffer(bytes);
    void* const front = buffer.raw_alloc(80, unaligned);
    CHECK(buffer.raw_alloc(21, unaligned) == nullptr);
    void* const back = buffer.raw_alloc(20, unaligned);
    CHECK(back == bytes.data() + 80);
    CHECK(buffer.used_bytes() == 100);
    CHECK_FALSE(buffer.raw_resize(back, 20, 21, unaligned));
    CHECK(buffer.raw_resize(back, 20, 1, unaligned));
    CHECK(buffer.raw_resize(back, 1, 20, unaligned));
    CHECK_FALSE(buffer.raw_resize(front, 80, 81, unaligned));
    buffer.raw_free(back, 20, unaligned);
    buffer.raw_free(front, 80, unaligned);
    CHECK(buffer.used_bytes() == 0);
}

TEST_CASE("fixed buffer: freeing in reverse order gives alignment padding back") {
    alignas(64) std::array<std::byte, 256> bytes;
    FixedBufferAllocator buffer(bytes);
    void* const small = buffer.raw_alloc(1, unaligned);
    void* const aligned = buffer.raw_alloc(16, std::align_val_t{16});
    buffer.raw_free(aligned, 16, std::align_val_t{16});
    CHECK(buffer.used_bytes() == 8);
    buffer.raw_free(small, 1, unaligned);
    CHECK(buffer.used_bytes() == 0);
}

TEST_CASE("fixed buffer: owns its bytes and no others") {
    alignas(16) std::array<std::byte, 64> bytes;
    FixedBufferAllocator buffer(Bytes(bytes).subspan(8, 41));
    CHECK_FALSE(buffer.owns(bytes.data() + 7));
    CHECK(buffer.owns(bytes.data() + 8));
    CHECK(buffer.owns(bytes.data() + 48));
    CHECK_FALSE(buffer.owns(bytes.data() + 49));
    CHECK_FALSE(buffer.owns(nullptr));

    CHECK(buffer.owns_slice(Bytes(bytes).subspan(8, 41)));
    CHECK(buffer.owns_slice(Bytes(bytes).subspan(48, 1)));
    CHECK_FALSE(buffer.owns_slice(Bytes(bytes).subspan(8, 42)));
    CHECK_FALSE(buffer.owns_slice(Bytes(bytes).subspan(7, 2)));
    CHECK_FALSE(buffer.owns_slice(Bytes(bytes).subspan(49, 1)));
    CHECK_FALSE(buffer.owns_slice(std::span(bytes.data() + 8, address_space_bytes)));
}

TEST_CASE("fixed buffer: reset makes all of it free again") {
    alignas(16) std::array<std::byte, 103> bytes;
    FixedBufferAllocator buffer(Bytes(bytes).subspan(3));
    CHECK(buffer.capacity_bytes() == 100);
    for (int round = 0; round < 3; ++round) {
        CHECK(buffer.raw_alloc(10, std::align_val_t{32}) != nullptr);
        while (buffer.raw_alloc(5, unaligned) != nullptr) {
        }
        buffer.reset();
        CHECK(buffer.used_bytes() == 0);
        CHECK(buffer.raw_alloc(100, unaligned) == bytes.data() + 3);
        buffer.reset();
        CHECK(buffer.used_bytes() == 0);
    }
}

TEST_CASE("fixed buffer: an empty one is out of memory") {
    FixedBufferAllocator buffer(Bytes{});
    CHECK(buffer.raw_alloc(1, unaligned) == nullptr);
    CHECK(buffer.raw_alloc(SIZE_MAX, unaligned) == nullptr);
    CHECK(buffer.raw_alloc(0, unaligned) != nullptr);
    CHECK(buffer.used_bytes() == 0);
    CHECK_FALSE(buffer.owns(nullptr));
}

#if !CARBIDE_ASAN
// These addresses have no memory behind them, and in checked builds none is written to.
TEST_CASE("fixed buffer: nothing wraps at the end of the address space") {
    for (std::size_t size_bytes = 1; size_bytes <= 40; ++size_bytes) {
        for (std::size_t below = 1; below <= 20; ++below) {
            const std::uintptr_t begin = SIZE_MAX - below - size_bytes + 1;
            FixedBufferAllocator buffer(Bytes(reinterpret_cast<std::byte*>(begin), size_bytes));
            CHECK(buffer.used_bytes() == 0);
            for (std::size_t alignment = 1; alignment <= 65536; alignment *= 2) {
                for (std::size_t less = 0; less < 20; ++less) {
                    CHECK(buffer.raw_alloc(SIZE_MAX - less, std::align_val_t{alignment}) ==
                          nullptr);
                }
                CHECK(buffer.raw_alloc(size_bytes + 1, std::align_val_t{alignment}) == nullptr);
            }
            CHECK(buffer.raw_alloc(1, std::align_val_t{std::size_t{1} << 63}) == nullptr);
            CHECK(buffer.used_bytes() == 0);
        }
    }
}
#endif

// Runs in a child on a buffer of which 16 bytes are lent out.
template <class F>
ChildResult misuse(F body) {
    return run_in_child([&] {
        alignas(16) std::array<std::byte, 128> bytes;
        FixedBufferAllocator buffer(bytes);
        body(buffer, buffer.raw_alloc(16, unaligned));
    });
}

TEST_CASE("fixed buffer: a free of what is not lent out stops the program") {
    const ChildResult freed_twice = misuse([](FixedBufferAllocator& buffer, void* memory) {
        buffer.raw_free(memory, 16, unaligned);
        buffer.raw_free(memory, 16, unaligned);
    });
    const ChildResult freed_after_reset = misuse([](FixedBufferAllocator& buffer, void* memory) {
        buffer.reset();
        buffer.raw_free(memory, 16, unaligned);
    });
    for (const ChildResult& child : {freed_twice, freed_after_reset}) {
        CAPTURE(child.stderr_text);
        if (CARBIDE_ASAN) {  // Stops where checked builds fill what is freed.
            CHECK(child.wrote("use-after-poison"));
        } else {
            CHECK(child.trapped());
            CHECK(child.wrote("carbide: free of memory that is not lent out: freed twice, or "));
        }
    }
}

TEST_CASE("fixed buffer: memory from elsewhere stops the program") {
    std::array<std::byte, 16> foreign;
    ChildResult child = misuse([&](FixedBufferAllocator& buffer, void*) {
        buffer.raw_free(foreign.data(), 16, unaligned);
    });
    CHECK(child.trapped());
    CHECK(child.wrote("carbide: free of memory that is not from this fixed buffer"));
    child = misuse([&](FixedBufferAllocator& buffer, void*) {
        static_cast<void>(buffer.raw_resize(foreign.data(), 16, 17, unaligned));
    });
    CHECK(child.trapped());
    CHECK(child.wrote("carbide: resize of memory that is not from this fixed buffer"));
}

TEST_CASE("fixed buffer: another thread may use it after a reset") {
    std::array<std::byte, 128> bytes;
    FixedBufferAllocator buffer(bytes);
    CHECK(buffer.raw_alloc(8, unaligned) != nullptr);
    buffer.reset();
    void* memory = nullptr;
    std::thread([&] { memory = buffer.raw_alloc(8, unaligned); }).join();
    CHECK(memory != nullptr);
}

TEST_CASE("fixed buffer: the shared view gives each byte to one thread") {
    struct Lent {
        std::byte* memory;
        std::size_t size_bytes;
    };
    constexpr std::size_t thread_count = 4;
    std::vector<std::byte> bytes(100'003);
    FixedBufferAllocator buffer(Bytes(bytes).subspan(1));
    const Allocator shared = buffer.shared_view();
    std::vector<Lent> lent[thread_count];
    std::vector<std::thread> threads;
    for (std::size_t thread = 0; thread < thread_count; ++thread) {
        threads.emplace_back([&, thread] {
            for (std::size_t i = 0;; ++i) {
                const std::size_t size_bytes = 1 + (i * 7 + thread) % 50;
                const std::align_val_t alignment{std::size_t{1} << (i % 8)};
                void* const memory = shared.raw_alloc(size_bytes, alignment);
                if (memory == nullptr) break;
                std::memset(memory, static_cast<int>(thread), size_bytes);
                lent[thread].push_back({static_cast<std::byte*>(memory), size_bytes});
            }
        });
    }
    for (std::thread& thread : threads) thread.join();

    std::vector<Lent> all;
    for (std::size_t thread = 0; thread < thread_count; ++thread) {
        for (const Lent& one : lent[thread]) {
            CHECK(buffer.owns_slice({one.memory, one.size_bytes}));
            CHECK(std::count(one.memory, one.memory + one.size_bytes, std::byte(thread)) ==
                  static_cast<std::ptrdiff_t>(one.size_bytes));
            all.push_back(one);
        }
    }
    std::sort(all.begin(), all.end(), [](auto& a, auto& b) { return a.memory < b.memory; });
    for (std::size_t i = 1; i < all.size(); ++i) {
        CHECK(all[i - 1].memory + all[i - 1].size_bytes <= all[i].memory);
    }
    CHECK(all.size() > 1000);
    CHECK(buffer.used_bytes() > 99'000);
    buffer.reset();
    CHECK(buffer.used_bytes() == 0);
}

TEST_CASE("fixed buffer: the shared view refuses to resize and keeps what is freed") {
    alignas(16) std::array<std::byte, 128> bytes;
    FixedBufferAllocator buffer(bytes);
    const Allocator shared = buffer.shared_view();
    void* const memory = shared.raw_alloc(16, unaligned);
    CHECK_FALSE(shared.raw_resize(memory, 16, 8, unaligned));
    CHECK_FALSE(shared.raw_resize(memory, 16, 17, unaligned));
    CHECK(shared.raw_remap(memory, 16, 8, unaligned) == nullptr);
    shared.raw_free(memory, 16, unaligned);
    CHECK(buffer.used_bytes() == 16);
    CHECK(shared.raw_alloc(16, unaligned) != memory);
}

TEST_CASE("fixed buffer: the shared view keeps the contract") {
    std::vector<std::byte> bytes(4 << 20);
    FixedBufferAllocator buffer(bytes);
    CHECK(check_allocator_contract(buffer.shared_view(), {.may_run_out = true}).message() == "");
    buffer.reset();
    CHECK(check_shared_allocator(buffer.shared_view(), 4, {.may_run_out = true}).message() == "");
}

#if CARBIDE_ASAN
using tests::accessible_bytes;

TEST_CASE("fixed buffer: only the bytes that it lends are accessible") {
    alignas(256) std::array<std::byte, 1023> bytes;
    {
        FixedBufferAllocator buffer(bytes);
        const Allocator handle = buffer.allocator();
        CHECK(accessible_bytes(bytes.data(), 1023) == 0);
        void* const inlined = handle.raw_alloc(20, unaligned);
        void* const padded = handle.raw_alloc(13, std::align_val_t{128});
        CHECK(accessible_bytes(inlined, 20) == 20);
        CHECK(accessible_bytes(padded, 13) == 13);
        CHECK(accessible_bytes(bytes.data(), 1023) == 33);
        CHECK(handle.raw_resize(padded, 13, 29, unaligned));
        CHECK(accessible_bytes(bytes.data(), 1023) == 49);
        CHECK(handle.raw_resize(padded, 29, 1, unaligned));
        CHECK(accessible_bytes(bytes.data(), 1023) == 21);
        handle.raw_free(inlined, 20, unaligned);
        CHECK(accessible_bytes(bytes.data(), 1023) == 1);
        handle.raw_free(padded, 1, std::align_val_t{128});
        CHECK(accessible_bytes(bytes.data(), 1023) == 0);
        buffer.reset();
        void* const all = handle.raw_alloc(1023, unaligned);
        CHECK(accessible_bytes(bytes.data(), 1023) == 1023);
        CHECK(handle.raw_resize(all, 1023, 1018, unaligned));
        CHECK(accessible_bytes(bytes.data(), 1023) == 1018);
        buffer.reset();
        CHECK(accessible_bytes(bytes.data(), 1023) == 0);
        CHECK(accessible_bytes(buffer.shared_view().raw_alloc(9, unaligned), 64) == 9);
    }
    CHECK(accessible_bytes(bytes.data(), 1023) == 1023);
}
#endif

}  // namespace
}  // namespace carbide
