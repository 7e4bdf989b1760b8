// SPDX-License-Identifier: MIT
#include "carbide/heap_statistics.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <latch>
#include <numeric>
#include <ostream>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "carbide/memory_marks.hpp"
#include "carbide/thread_caching_allocator.hpp"
#include "support/child_process.hpp"
#include "support/strict_json.hpp"

namespace carbide {
namespace {

using Format = HeapStatistics::Format;
using SizeClass = HeapStatistics::SizeClass;

// A pipe holds 64 KiB, which is more than there ever is.
std::string written(const HeapStatistics& statistics, Format format) {
    int ends[2];
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    statistics.write_to(ends[1], format);
    close(ends[1]);
    std::string text;
    char part[4096];
    for (ssize_t count = 0; (count = read(ends[0], part, sizeof part)) > 0;) {
        text.append(part, static_cast<std::size_t>(count));
    }
    close(ends[0]);
    return text;
}

HeapStatistics hand_made() {
    HeapStatistics sums;
    for (unsigned i = 0; i < detail::bin_count; ++i) {
        sums.size_classes[i].slot_bytes = detail::slot_bytes_of(i);
    }
    sums.size_classes[0] = {16, 1000, 20, 4, 2048 - 1024, 2};
    sums.size_classes[7] = {128, 1'234'567, 89'012, 3456, 0, 2592};
    sums.size_classes[71] = {32768, 0, 1, 0, 7, 1};
    sums.large_count = 1;
    sums.large_bytes = 102'400;
    sums.huge_count = 2;
    sums.huge_bytes = std::size_t{3} << 20;
    sums.lent_bytes = 161'272'704;
    sums.cached_bytes = 11'869'056;
    sums.free_bytes = 245'760;
    sums.mapped_bytes = std::size_t{200} << 20;
    sums.resident_bytes = 1000;
    sums.chunk_count = 49;
    sums.thread_count = 3;
    return sums;
}

// --- What is written -----------------------------------------------------------------------------

TEST_CASE("heap statistics: the text is a table of the sizes in use, and the totals") {
    CHECK(written(hand_made(), Format::text) ==
          "slot bytes          lent       in bins     in depots free in slabs"
          "    slabs      KiB lent  utilisation\n"
          "        16         1,000            20             4         1,024"
          "        2          15.6       48.8 %\n"
          "       128     1,234,567        89,012         3,456             0"
          "    2,592     154,320.9       93.0 %\n"
          "    32,768             0             1             0             7"
          "        1           0.0        0.0 %\n"
          "\n"
          "mapped     200 MiB (209,715,200 bytes)\n"
          "resident   1,000 bytes\n"
          "lent out   153.8 MiB (161,272,704 bytes)\n"
          "cached     11.3 MiB (11,869,056 bytes)\n"
          "free       240 KiB (245,760 bytes)\n"
          "large      1 allocation, 100 KiB (102,400 bytes)\n"
          "huge       2 allocations, 3 MiB (3,145,728 bytes)\n"
          "chunks     49\n"
          "threads    3\n");
}

TEST_CASE("heap statistics: of an allocator that was never used, there are the totals alone") {
    CHECK(written({}, Format::text) ==
          "mapped     0 bytes\n"
          "resident   0 bytes\n"
          "lent out   0 bytes\n"
          "cached     0 bytes\n"
          "free       0 bytes\n"
          "large      0 allocations, 0 bytes\n"
          "huge       0 allocations, 0 bytes\n"
          "chunks     0\n"
          "threads    0\n");
}

constexpr const char* json_totals =
    "{\"large_count\":1,\"large_bytes\":102400,\"huge_count\":2,\"huge_bytes\":3145728,"
    "\"lent_bytes\":161272704,\"cached_bytes\":11869056,\"free_bytes\":245760,"
    "\"mapped_bytes\":209715200,\"resident_bytes\":1000,\"chunk_count\":49,\"thread_count\":3,";

std::string json_of(const SizeClass& slots) {
    return "{\"slot_bytes\":" + std::to_string(slots.slot_bytes) +
           ",\"lent_count\":" + std::to_string(slots.lent_count) +
           ",\"binned_count\":" + std::to_string(slots.binned_count) +
           ",\"depot_count\":" + std::to_string(slots.depot_count) +
           ",\"free_count\":" + std::to_string(slots.free_count) +
           ",\"slab_count\":" + std::to_string(slots.slab_count) + "}";
}

TEST_CASE("heap statistics: the JSON is one line with every number under its field's name") {
    const HeapStatistics sums = hand_made();
    const std::string json = written(sums, Format::json);
    CHECK(tests::is_strict_json(json));
    CHECK(json.find('\n') == json.size() - 1);
    std::string expected = std::string(json_totals) + "\"size_classes\":[";
    for (const SizeClass& slots : sums.size_classes) {
        expected += (&slots == sums.size_classes.data() ? "" : ",") + json_of(slots);
    }
    CHECK(json == expected + "]}\n");
}

// No number can be larger, and none of them may make the line a wrong one.
HeapStatistics largest() {
    HeapStatistics sums;
    sums.size_classes.fill({SIZE_MAX, SIZE_MAX, SIZE_MAX, SIZE_MAX, SIZE_MAX, SIZE_MAX});
    sums.large_count = sums.large_bytes = sums.huge_count = sums.huge_bytes = SIZE_MAX;
    sums.lent_bytes = sums.cached_bytes = sums.free_bytes = SIZE_MAX;
    sums.mapped_bytes = sums.resident_bytes = SIZE_MAX;
    sums.chunk_count = sums.thread_count = SIZE_MAX;
    return sums;
}

TEST_CASE("heap statistics: the JSON of the largest numbers is JSON") {
    CHECK(tests::is_strict_json(written(largest(), Format::json)));
    CHECK(written(largest(), Format::json).size() > 10'000);
}

// AddressSanitizer and ThreadSanitizer map memory of their own at any time, and end without it.
#if !CARBIDE_ASAN && !defined(__SANITIZE_THREAD__)
TEST_CASE("heap statistics: where memory is out, the JSON has the totals and is whole") {
    const auto write_without_memory = [](const HeapStatistics& sums, Format format) {
        return tests::run_in_child([&] {
            const rlimit nothing_more{};
            setrlimit(RLIMIT_AS, &nothing_more);
            sums.write_to(STDERR_FILENO, format);
        });
    };
    CHECK(write_without_memory(hand_made(), Format::json).stderr_text ==
          std::string(json_totals) + "\"size_classes\":null}\n");
    const auto child = write_without_memory(largest(), Format::json);
    CHECK(tests::is_strict_json(child.stderr_text));
    CHECK(child.wrote("\"thread_count\":" + std::to_string(SIZE_MAX)));
    CHECK(write_without_memory(largest(), Format::text).wrote("out of memory"));
}
#endif

TEST_CASE("heap statistics: on a terminal the header is dim, and nothing else is coloured") {
    const auto child = tests::run_in_child([] {
        setenv("TERM", "xterm", 1);
        unsetenv("NO_COLOR");
        const int terminal = posix_openpt(O_RDWR | O_NOCTTY);
        if (terminal < 0 || grantpt(terminal) != 0 || unlockpt(terminal) != 0) return;
        const int shown = open(ptsname(terminal), O_RDWR | O_NOCTTY);
        hand_made().write_to(shown);
        char text[4096];
        const ssize_t count = read(terminal, text, sizeof text);
        if (count > 0) static_cast<void>(!write(STDERR_FILENO, text, std::size_t(count)));
    });
    const std::string& text = child.stderr_text;
    CHECK(text.starts_with("\033[2mslot bytes "));
    CHECK(child.wrote("utilisation\033[0m\r\n        16 "));
    CHECK(text.find('\033') != text.rfind('\033'));
    CHECK(text.find('\033', text.find('\033') + 1) == text.rfind('\033'));
}

// --- What a real allocator says ------------------------------------------------------------------

const SizeClass& class_of(const HeapStatistics& sums, std::size_t size_bytes) {
    return sums.size_classes[detail::size_class_of(size_bytes)];
}

struct Lent {
    void* memory;
    std::size_t size_bytes;
    std::align_val_t alignment;
};

// What it keeps to itself is everything that was taken from the backing, each byte once.
void check_sums(const HeapStatistics& sums) {
    std::size_t lent_bytes = sums.large_bytes + sums.huge_bytes;
    std::size_t cached_bytes = 0;
    std::size_t free_bytes = 0;
    for (const SizeClass& slots : sums.size_classes) {
        lent_bytes += slots.lent_count * slots.slot_bytes;
        cached_bytes += slots.cached_count() * slots.slot_bytes;
        free_bytes += slots.free_count * slots.slot_bytes;
    }
    CHECK(sums.lent_bytes == lent_bytes);
    CHECK(sums.cached_bytes == cached_bytes);
    CHECK(sums.free_bytes >= free_bytes);
    CHECK(sums.mapped_bytes >= sums.resident_bytes);
    CHECK(sums.mapped_bytes >= sums.lent_bytes + sums.cached_bytes + sums.free_bytes);
    CHECK(tests::is_strict_json(written(sums, Format::json)));
}

TEST_CASE("heap statistics: what was lent is counted to the last slot and byte") {
    for (const bool hardened : {false, true}) {
        CAPTURE(hardened);
        ThreadCachingAllocator allocator({.hardened = hardened});
        CHECK(allocator.statistics().mapped_bytes == 0);
        std::vector<Lent> all;
        const auto lend = [&](std::size_t size_bytes, std::size_t alignment_bytes) {
            const std::align_val_t alignment{alignment_bytes};
            void* const memory = allocator.raw_alloc(size_bytes, alignment);
            REQUIRE(memory != nullptr);
            all.push_back({memory, size_bytes, alignment});
        };
        for (int i = 0; i < 3000; ++i) lend(24, 8);  // More than two slabs of 32 bytes.
        for (int i = 0; i < 5; ++i) lend(1000, 16);
        lend(32'768, 16);                 // The largest slot.
        lend(100, 64);                    // 112 would not be aligned, 128 is.
        lend(100, 4096);                  // As a slot of a page,
        lend(100, 8192);                  // a unit of its own,
        lend(100, std::size_t{1} << 20);  // or a mapping.
        lend(32'769, 16);                 // The smallest large one,
        lend(std::size_t{1} << 20, 16);   // and the largest.
        lend((1 << 20) + 1, 16);          // The smallest huge one.

        const HeapStatistics sums = allocator.statistics();
        CHECK(class_of(sums, 24).lent_count == 3000);
        CHECK(class_of(sums, 24).slab_count >= 2);
        CHECK(class_of(sums, 1000).lent_count == 5);
        CHECK(class_of(sums, 32'768).lent_count == 1);
        CHECK(class_of(sums, 112).lent_count == 0);
        CHECK(class_of(sums, 128).lent_count == 1);
        CHECK(class_of(sums, 4096).lent_count == 1);
        CHECK(sums.large_count == 3);
        CHECK(sums.large_bytes == 100 + 32'769 + (1 << 20));
        CHECK(sums.huge_count == 2);
        CHECK(sums.huge_bytes == 100 + (1 << 20) + 1);
        CHECK(sums.lent_bytes ==
              3000 * 32 + 5 * 1024 + 32'768 + 128 + 4096 + sums.large_bytes + sums.huge_bytes);
        CHECK(sums.thread_count == 1);
        CHECK(sums.chunk_count >= 1);
        check_sums(sums);

        for (const Lent& lent : all) {
            allocator.raw_free(lent.memory, lent.size_bytes, lent.alignment);
        }
        const HeapStatistics after = allocator.statistics();
        CHECK(after.lent_bytes == 0);
        CHECK(after.large_count + after.huge_count == 0);
        CHECK(after.cached_bytes > 0);
        check_sums(after);
        allocator.collect();
        CHECK(allocator.statistics().cached_bytes == 0);
        check_sums(allocator.statistics());
    }
}

TEST_CASE("heap statistics: a size that grows in place counts as what it is then") {
    ThreadCachingAllocator allocator;
    constexpr std::align_val_t alignment{16};
    void* const large = allocator.raw_alloc(100'000, alignment);
    REQUIRE(allocator.raw_resize(large, 100'000, 200'000, alignment));
    CHECK(allocator.statistics().large_bytes == 200'000);
    void* const huge = allocator.raw_alloc(2'000'000, alignment);
    void* const moved = allocator.raw_remap(huge, 2'000'000, 9'000'000, alignment);
    REQUIRE(moved != nullptr);
    CHECK(allocator.statistics().huge_bytes == 9'000'000);
    REQUIRE(allocator.raw_resize(moved, 9'000'000, 3'000'000, alignment));
    CHECK(allocator.statistics().huge_bytes == 3'000'000);
    allocator.raw_free(large, 200'000, alignment);
    allocator.raw_free(moved, 3'000'000, alignment);
    CHECK(allocator.statistics().lent_bytes == 0);
}

TEST_CASE("heap statistics: the bins of another thread count, and are no bins when it has ended") {
    ThreadCachingAllocator allocator;
    std::latch has_freed(1);
    std::latch may_end(1);
    std::thread other([&] {
        std::vector<std::span<char>> all;
        for (int i = 0; i < 10; ++i) all.push_back(allocator.must_alloc<char>(48));
        for (const std::span<char> one : all) allocator.free(one);
        has_freed.count_down();
        may_end.wait();
    });
    has_freed.wait();
    const HeapStatistics sums = allocator.statistics();
    may_end.count_down();
    other.join();
    CHECK(sums.thread_count == 1);
    CHECK(sums.mapped_bytes % static_cast<std::size_t>(sysconf(_SC_PAGESIZE)) == 0);
    CHECK(class_of(sums, 48).binned_count >= 10);
    CHECK(class_of(sums, 48).lent_count == 0);
    CHECK(sums.cached_bytes == class_of(sums, 48).cached_count() * 48);
    check_sums(sums);

    const HeapStatistics after = allocator.statistics();
    CHECK(after.thread_count == 0);
    CHECK(class_of(after, 48).binned_count == 0);
    CHECK(after.lent_bytes == 0);
    check_sums(after);
}

}  // namespace
}  // namespace carbide
