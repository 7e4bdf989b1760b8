// SPDX-License-Identifier: MIT
#include "carbide/raw_operations.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "carbide/allocator.hpp"
#include "carbide/memory_marks.hpp"
#include "support/bump_heap.hpp"
#include "support/child_process.hpp"
#include "support/recording_heap.hpp"

using carbide::Allocator;
using carbide::tests::BumpHeap;
using carbide::tests::RecordingHeap;
using carbide::tests::run_in_child;

namespace {

constexpr std::align_val_t unaligned{1};
constexpr std::align_val_t word{8};

bool all_are(const void* memory, std::size_t size_bytes, unsigned char expected) {
    const auto* const bytes = static_cast<const unsigned char*>(memory);
    return std::all_of(bytes, bytes + size_bytes,
                       [&](unsigned char byte) { return byte == expected; });
}

bool is_aligned(const void* memory, std::size_t alignment_bytes) {
    return reinterpret_cast<std::uintptr_t>(memory) % alignment_bytes == 0;
}

constexpr unsigned char in_new_memory = carbide::checked_build ? 0xAA : 0x11;

}  // namespace

TEST_CASE("raw operations: what fits the window never calls the allocator") {
    BumpHeap<256> heap;
    const Allocator allocator = heap.allocator();
    void* const first = allocator.raw_alloc(5, unaligned);
    void* const second = allocator.raw_alloc(8, word);
    CHECK(first == heap.buffer());
    CHECK(second == heap.buffer() + 8);
    CHECK(heap.used_bytes() == 16);
    allocator.raw_free(second, 8, word);
    allocator.raw_free(first, 5, unaligned);
    CHECK(heap.used_bytes() == 0);
    allocator.raw_free(allocator.raw_alloc(256, word), 256, word);
    // Under Valgrind the window is closed, and everything calls.
    if (!carbide::window_stays_closed()) CHECK(heap.slow_call_count == 0);
}

TEST_CASE("raw operations: the last byte of the window is handed out, and not one more") {
    BumpHeap<64> heap;
    const Allocator allocator = heap.allocator();
    CHECK(allocator.raw_alloc(65, unaligned) == nullptr);
    void* const all = allocator.raw_alloc(64, unaligned);
    CHECK(all == heap.buffer());
    CHECK(allocator.raw_alloc(1, unaligned) == nullptr);
    allocator.raw_free(all, 64, unaligned);
    // 57 to 64 bytes take the whole window, because it consists of granules.
    CHECK(allocator.raw_alloc(57, unaligned) != nullptr);
    CHECK(allocator.raw_alloc(1, unaligned) == nullptr);
}

TEST_CASE("raw operations: no size wraps the cursor") {
    BumpHeap<256> heap;
    const Allocator allocator = heap.allocator();
    REQUIRE(allocator.raw_alloc(8, word) != nullptr);
    const std::uintptr_t cursor = reinterpret_cast<std::uintptr_t>(heap.buffer()) + 8;
    for (const std::size_t size_bytes :
         {SIZE_MAX, SIZE_MAX - 6, SIZE_MAX - 7, SIZE_MAX - 8, SIZE_MAX - cursor,
          SIZE_MAX - cursor + 1, std::size_t{0} - cursor, SIZE_MAX / 2, SIZE_MAX / 2 + 1,
          std::size_t{249}}) {
        for (const std::size_t alignment_bytes : {1U, 8U, 16U, 4096U}) {
            CAPTURE(size_bytes);
            CAPTURE(alignment_bytes);
            CHECK(allocator.raw_alloc(size_bytes, std::align_val_t{alignment_bytes}) == nullptr);
        }
    }
    CHECK(heap.used_bytes() == 8);
}

TEST_CASE("raw operations: every alignment is kept, with or without padding") {
    BumpHeap<32768> heap;
    const Allocator allocator = heap.allocator();
    for (std::size_t alignment_bytes = 1; alignment_bytes <= 4096; alignment_bytes *= 2) {
        CAPTURE(alignment_bytes);
        REQUIRE(allocator.raw_alloc(1, unaligned) != nullptr);
        CHECK(
            is_aligned(allocator.raw_alloc(3, std::align_val_t{alignment_bytes}), alignment_bytes));
    }
}

TEST_CASE("raw operations: zero bytes give an aligned token that frees any number of times") {
    RecordingHeap heap;
    heap.can_alloc = false;
    const Allocator allocator = heap.allocator();
    for (std::size_t alignment_bytes = 1; alignment_bytes <= 65536; alignment_bytes *= 2) {
        const std::align_val_t alignment{alignment_bytes};
        void* const token = allocator.raw_alloc(0, alignment);
        CHECK(token != nullptr);
        CHECK(is_aligned(token, alignment_bytes));
        allocator.raw_free(token, 0, alignment);
        allocator.raw_free(token, 0, alignment);
        allocator.raw_free(nullptr, 0, alignment);
    }
    CHECK(heap.call_count() == 0);
}

TEST_CASE("raw operations: resizing from and to zero bytes is decided without the allocator") {
    RecordingHeap heap;
    const Allocator allocator = heap.allocator();
    void* const token = allocator.raw_alloc(0, word);
    CHECK(allocator.raw_resize(token, 0, 0, word));
    CHECK_FALSE(allocator.raw_resize(token, 0, 8, word));
    CHECK(allocator.raw_remap(token, 0, 0, word) == token);
    CHECK(allocator.raw_remap(token, 0, 8, word) == nullptr);
    CHECK(heap.call_count() == 0);

    void* const first = allocator.raw_alloc(8, word);
    CHECK(allocator.raw_resize(first, 8, 8, word));
    CHECK(allocator.raw_remap(first, 8, 8, word) == first);
    CHECK(heap.call_count() == 1);
    CHECK(allocator.raw_resize(first, 8, 0, word));
    CHECK(heap.live.empty());

    void* const second = allocator.raw_alloc(8, word);
    void* const emptied = allocator.raw_remap(second, 8, 0, word);
    CHECK(emptied != nullptr);
    CHECK(emptied != second);
    CHECK(heap.live.empty());
    CHECK(heap.resize_count == 0);
    CHECK(heap.remap_count == 0);
    CHECK(heap.mistake.empty());
}

TEST_CASE("raw operations: a resize or remap that fails leaves the bytes alone") {
    RecordingHeap heap;
    const Allocator allocator = heap.allocator();
    void* const memory = allocator.raw_alloc(8, word);
    std::memset(memory, 0x55, 8);
    CHECK_FALSE(allocator.raw_resize(memory, 8, 16, word));
    CHECK_FALSE(allocator.raw_resize(memory, 8, 4, word));
    CHECK(allocator.raw_remap(memory, 8, 16, word) == nullptr);
    CHECK(all_are(memory, 8, 0x55));
    CHECK(heap.live.at(memory) == RecordingHeap::Lent{8, 8});
    allocator.raw_free(memory, 8, word);
    CHECK(heap.mistake.empty());
}

TEST_CASE("raw operations: realloc copies the smaller of both sizes and frees the old memory") {
    RecordingHeap heap;
    const Allocator allocator = heap.allocator();
    void* memory = allocator.raw_alloc(64, word);
    std::memset(memory, 0x55, 64);
    memory = allocator.raw_realloc(memory, 64, 5000, word);
    REQUIRE(memory != nullptr);
    CHECK(all_are(memory, 64, 0x55));
    memory = allocator.raw_realloc(memory, 5000, 10, word);
    REQUIRE(memory != nullptr);
    CHECK(all_are(memory, 10, 0x55));
    CHECK(heap.live.size() == 1);
    CHECK(heap.live.at(memory) == RecordingHeap::Lent{10, 8});
    memory = allocator.raw_realloc(memory, 10, 0, word);
    CHECK(memory != nullptr);
    CHECK(heap.live.empty());
    memory = allocator.raw_realloc(memory, 0, 3, word);
    REQUIRE(memory != nullptr);
    allocator.raw_free(memory, 3, word);
    CHECK(heap.mistake.empty());
}

TEST_CASE("raw operations: a realloc that fails leaves the allocation as it was") {
    RecordingHeap heap;
    const Allocator allocator = heap.allocator();
    void* const memory = allocator.raw_alloc(64, word);
    std::memset(memory, 0x55, 64);
    heap.can_alloc = false;
    CHECK(allocator.raw_realloc(memory, 64, 128, word) == nullptr);
    CHECK(all_are(memory, 64, 0x55));
    CHECK(heap.live.at(memory) == RecordingHeap::Lent{64, 8});
    allocator.raw_free(memory, 64, word);
    CHECK(heap.mistake.empty());
}

TEST_CASE("raw operations: a checked build fills new memory, and any other touches no byte") {
    BumpHeap<256> heap;
    const Allocator allocator = heap.allocator();
    const auto prepare = [&] {
        carbide::mark_defined(heap.buffer(), 256);
        std::memset(heap.buffer(), 0x11, 256);
        carbide::mark_no_access(heap.buffer(), 256);
    };
    prepare();
    void* const inlined = allocator.raw_alloc(20, unaligned);
    CHECK(all_are(inlined, 20, in_new_memory));
    void* const slow = allocator.raw_alloc(20, std::align_val_t{64});
    CHECK(all_are(slow, 20, in_new_memory));
    std::memset(slow, 0x55, 20);
    REQUIRE(allocator.raw_resize(slow, 20, 40, std::align_val_t{64}));
    CHECK(all_are(slow, 20, 0x55));
    CHECK(all_are(static_cast<std::byte*>(slow) + 20, 20, in_new_memory));
}

TEST_CASE("raw operations: a checked build fills freed memory, and any other touches no byte") {
    BumpHeap<256> heap;
    const Allocator allocator = heap.allocator();
    void* const older = allocator.raw_alloc(24, word);
    void* const newest = allocator.raw_alloc(24, word);
    std::memset(older, 0x11, 24);
    std::memset(newest, 0x11, 24);
    SUBCASE("in the inlined path, and in the slow one") {
        allocator.raw_free(newest, 24, word);
        allocator.raw_free(older, 24, word);
    }
    SUBCASE("out of order") {
        allocator.raw_free(older, 24, word);
        allocator.raw_free(newest, 24, word);
    }
    carbide::mark_defined(heap.buffer(), 256);
    CHECK(all_are(older, 24, in_new_memory));
    CHECK(all_are(newest, 24, in_new_memory));
}

TEST_CASE("raw operations: an alignment that is no power of two stops the program") {
    for (const std::size_t alignment_bytes : {0U, 3U, 24U}) {
        const auto result = run_in_child([&] {
            BumpHeap<256> heap;
            static_cast<void>(heap.allocator().raw_alloc(8, std::align_val_t{alignment_bytes}));
        });
        CHECK(result.trapped());
        CHECK(result.wrote("the alignment is not a power of two"));
    }
}

#if CARBIDE_ASAN
// Each misuse in a child, which AddressSanitizer ends with a report.
namespace {

void check_reported(void (*misuse)(Allocator)) {
    const auto result = run_in_child([&] {
        BumpHeap<256> heap;
        misuse(heap.allocator());
    });
    CHECK((result.exit_status != 0 || result.signal != 0));
    CHECK(result.wrote("ERROR: AddressSanitizer: use-after-poison"));
}

// Five bytes aligned to 64 behind one byte need padding, and so take the slow path.
constexpr std::align_val_t in_slow_path{64};

}  // namespace

TEST_CASE("raw operations: a write behind the end is found, in the inlined path and the slow one") {
    check_reported([](Allocator allocator) {
        auto* const bytes = static_cast<volatile char*>(allocator.raw_alloc(5, unaligned));
        bytes[5] = 1;
    });
    check_reported([](Allocator allocator) {
        static_cast<void>(allocator.raw_alloc(1, unaligned));
        auto* const bytes = static_cast<volatile char*>(allocator.raw_alloc(5, in_slow_path));
        bytes[5] = 1;
    });
}

TEST_CASE("raw operations: a write in front of padded memory is found") {
    check_reported([](Allocator allocator) {
        static_cast<void>(allocator.raw_alloc(1, unaligned));
        auto* const bytes = static_cast<volatile char*>(allocator.raw_alloc(5, in_slow_path));
        bytes[-1] = 1;
    });
}

TEST_CASE("raw operations: use of the newest allocation after its free is found") {
    check_reported([](Allocator allocator) {
        auto* const bytes = static_cast<volatile char*>(allocator.raw_alloc(5, unaligned));
        allocator.raw_free(const_cast<char*>(bytes), 5, unaligned);
        bytes[0] = 1;
    });
    check_reported([](Allocator allocator) {
        static_cast<void>(allocator.raw_alloc(1, unaligned));
        auto* const bytes = static_cast<volatile char*>(allocator.raw_alloc(5, in_slow_path));
        allocator.raw_free(const_cast<char*>(bytes), 5, in_slow_path);
        bytes[0] = 1;
    });
}

TEST_CASE("raw operations: use of an older allocation after its free is found") {
    check_reported([](Allocator allocator) {
        auto* const bytes = static_cast<volatile char*>(allocator.raw_alloc(5, unaligned));
        static_cast<void>(allocator.raw_alloc(5, unaligned));
        allocator.raw_free(const_cast<char*>(bytes), 5, unaligned);
        bytes[4] = 1;
    });
}

TEST_CASE("raw operations: use of what a shrinking resize gave up is found") {
    check_reported([](Allocator allocator) {
        auto* const bytes = static_cast<volatile char*>(allocator.raw_alloc(20, unaligned));
        static_cast<void>(allocator.raw_resize(const_cast<char*>(bytes), 20, 10, unaligned));
        bytes[10] = 1;
    });
}

TEST_CASE("raw operations: use of what a growing resize did not give is found") {
    check_reported([](Allocator allocator) {
        auto* const bytes = static_cast<volatile char*>(allocator.raw_alloc(5, unaligned));
        static_cast<void>(allocator.raw_resize(const_cast<char*>(bytes), 5, 7, unaligned));
        bytes[6] = 1;
        bytes[7] = 1;
    });
}

TEST_CASE("raw operations: a read from the window before anything was allocated is found") {
    const auto result = run_in_child([] {
        BumpHeap<256> heap;
        *const_cast<volatile std::byte*>(heap.buffer()) = std::byte{1};
    });
    CHECK(result.wrote("ERROR: AddressSanitizer: use-after-poison"));
}
#endif
