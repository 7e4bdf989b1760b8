// SPDX-License-Identifier: MIT
#include "carbide/debug_allocator.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "carbide/arena_allocator.hpp"
#include "carbide/c_allocator.hpp"
#include "carbide/failing_allocator.hpp"
#include "carbide/fixed_buffer_allocator.hpp"
#include "carbide/locked_allocator.hpp"
#include "carbide/pool_allocator.hpp"
#include "carbide/stack_fallback_allocator.hpp"
#include "carbide/statistics_allocator.hpp"
#include "carbide/testing/allocator_contract.hpp"
#include "heap/debug/findings_log.hpp"
#include "support/child_process.hpp"
#include "support/recording_heap.hpp"

namespace carbide {
namespace {

using Guard = DebugAllocator::Guard;
using Options = DebugAllocator::Options;
using tests::FindingsLog;
using Kinds = std::vector<FindingKind>;

struct Variant {
    const char* name;
    Options options;
};

std::vector<Variant> variants() {
    return {
        {"as it comes", {}},
        {"without stacks", {.stack_frame_count = 0}},
        {"64 frames", {.stack_frame_count = 64}},
        {"single owner", {.thread_safe = false}},
        {"no pads", {.pad_before_bytes = 0, .pad_after_bytes = 0}},
        {"odd pads", {.pad_before_bytes = 48, .pad_after_bytes = 13}},
        {"large pads", {.pad_before_bytes = 4096, .pad_after_bytes = 4096}},
        {"fills", {.fill_allocated = 0x11, .fill_freed = 0x22}},
        {"quarantine", {.fill_freed = 0x22, .quarantine_bytes = 100'000}},
        {"small quarantine", {.fill_freed = 0x22, .quarantine_bytes = 1}},
        {"never unmap", {.fill_freed = 0x22, .never_unmap = true}},
        {"metadata kept", {.retain_metadata = true}},
        {"traces refreshed", {.refresh_trace_on_resize = true}},
        {"limit", {.limit_bytes = std::size_t{1} << 30}},
        {"guard behind", {.guard = Guard::behind}},
        {"guard in front", {.guard = Guard::in_front}},
        {"told to checkers", {.mark_for_checkers = true}},
    };
}

TEST_CASE("debug: keeps the contract with every option, and finds nothing in doing so") {
    for (const Variant& variant : variants()) {
        CAPTURE(variant.name);
        FindingsLog log;
        Options options = log.options(variant.options);
        options.mark_for_checkers = variant.options.mark_for_checkers;
        DebugAllocator debug(options);
        const auto report = testing::check_allocator_contract(debug.allocator());
        CHECK_MESSAGE(report.passed(), report.message());
        CHECK(log.texts == std::vector<std::string>());
        CHECK(debug.counters().current_bytes == 0);
        CHECK_FALSE(debug.deinit());
    }
}

TEST_CASE("debug: may be shared by threads with every option") {
    for (const Variant& variant : variants()) {
        if (!variant.options.thread_safe) continue;
        CAPTURE(variant.name);
        FindingsLog log;
        DebugAllocator debug(log.options(variant.options));
        const auto report = testing::check_shared_allocator(debug.allocator());
        CHECK_MESSAGE(report.passed(), report.message());
        CHECK(log.texts == std::vector<std::string>());
        CHECK(debug.counters().current_count == 0);
        CHECK_FALSE(debug.deinit());
    }
}

TEST_CASE("debug: survives out of memory at every request to its backing") {
    for (const bool is_small : {true, false}) {
        const auto report = testing::check_out_of_memory(
            [&](Allocator backing, auto run_on) {
                FindingsLog log;
                DebugAllocator debug(log.options(
                    {.backing = backing, .fill_freed = 1, .quarantine_bytes = is_small ? 1u : 0u}));
                run_on(debug.allocator());
                CHECK(log.texts == std::vector<std::string>());
                CHECK_FALSE(debug.deinit());
            },
            {.size_bytes_max = is_small ? 4096u : 300'000u});
        CHECK_MESSAGE(report.passed(), report.message());
    }
}

TEST_CASE("debug: works on any backing, and gives every byte back to it") {
    StatisticsAllocator statistics({.backing = c_allocator()});
    {
        FindingsLog log;
        DebugAllocator debug(log.options({.backing = statistics.allocator()}));
        const auto report = testing::check_allocator_contract(debug.allocator());
        CHECK_MESSAGE(report.passed(), report.message());
        CHECK_FALSE(debug.deinit());
        CHECK(statistics.statistics().current_bytes == 0);
    }
    ArenaAllocator arena({.backing = c_allocator()});
    FindingsLog log;
    DebugAllocator debug(log.options({.backing = arena.allocator()}));
    std::thread([&] { debug.allocator().free(debug.allocator().must_alloc<int>(10)); }).join();
    debug.allocator().free(debug.allocator().must_alloc<int>(100'000));
    CHECK_FALSE(debug.deinit());
}

TEST_CASE("debug: empty chunks go back to the backing while it lives") {
    StatisticsAllocator statistics({.backing = page_allocator()});
    FindingsLog log;
    DebugAllocator debug(log.options({.backing = statistics.allocator(), .quarantine_bytes = 0}));
    std::vector<std::span<char>> blocks;
    for (int i = 0; i < 60'000; ++i) blocks.push_back(debug.allocator().must_alloc<char>(1000));
    const std::size_t full_bytes = statistics.statistics().current_bytes;
    CHECK(full_bytes > 60'000'000);
    for (const auto& block : blocks) debug.allocator().free(block);
    CHECK(statistics.statistics().current_bytes < full_bytes / 8);
}

TEST_CASE("debug: an allocation costs at most 48 bytes more, but for rounding") {
    constexpr std::size_t count = 16'000;
    constexpr std::size_t size_bytes = 4096 - 32;  // With the pads a slot, and no rounding.
    StatisticsAllocator statistics({.backing = page_allocator()});
    FindingsLog log;
    DebugAllocator debug(log.options({.backing = statistics.allocator(), .stack_frame_count = 8}));
    std::vector<std::span<char>> blocks;
    for (std::size_t i = 0; i < count; ++i) {
        blocks.push_back(debug.allocator().must_alloc<char>(size_bytes));
    }
    const std::size_t taken_bytes = statistics.statistics().current_bytes;
    // Chunks are 4 MiB, and of the last one little may be used.
    CHECK(taken_bytes - (std::size_t{4} << 20) <= count * (size_bytes + 48));
    for (const auto& block : blocks) debug.allocator().free(block);
}

TEST_CASE("debug: the limit counts requested bytes, and failed requests charge nothing") {
    FindingsLog log;
    DebugAllocator debug(log.options({.limit_bytes = 1000}));
    const Allocator handle = debug.allocator();
    const auto half = handle.must_alloc<char>(500);
    for (int i = 0; i < 3; ++i) CHECK_FALSE(handle.alloc<char>(501).has_value());
    CHECK(debug.counters().current_bytes == 500);
    const auto rest = handle.must_alloc<char>(500);
    CHECK_FALSE(handle.alloc<char>(1).has_value());
    handle.free(rest);
    CHECK(handle.resize(half, 400));
    const auto more = handle.must_alloc<char>(600);
    CHECK_FALSE(handle.resize(half.first(400), 401));
    handle.free(more);
    handle.free(half.first(400));
    CHECK(handle.alloc<char>(SIZE_MAX / 2).has_value() == false);
    handle.free(handle.must_alloc<char>(1000));
    CHECK(log.texts.empty());
}

TEST_CASE("debug: where the backing fails, the limit is as before") {
    tests::RecordingHeap backing;
    FindingsLog log;
    DebugAllocator debug(log.options({.backing = backing.allocator(), .limit_bytes = 1000}));
    backing.can_alloc = false;
    for (int i = 0; i < 3; ++i) CHECK_FALSE(debug.allocator().alloc<char>(900).has_value());
    backing.can_alloc = true;
    const auto block = debug.allocator().alloc<char>(1000);
    REQUIRE(block.has_value());
    debug.allocator().free(*block);
}

TEST_CASE("debug: the counters are exact for one thread") {
    FindingsLog log;
    DebugAllocator debug(log.options());
    const Allocator handle = debug.allocator();
    auto a = handle.must_alloc<char>(100);
    const auto b = handle.must_alloc<char>(200'000);
    CHECK(debug.counters().current_bytes == 200'100);
    CHECK(debug.counters().current_count == 2);
    handle.free(b);
    REQUIRE(handle.resize(a, 60));
    a = a.first(60);
    CHECK(debug.counters().current_bytes == 60);
    REQUIRE(handle.resize(a, 90));
    a = {a.data(), 90};
    CHECK(debug.counters().peak_bytes == 200'100);
    CHECK(debug.counters().total_bytes == 200'130);
    CHECK(debug.counters().total_count == 2);
    handle.free(a);
    handle.free(a);
    CHECK(debug.counters().current_bytes == 0);
    CHECK(debug.counters().current_count == 0);
    CHECK(debug.counters().finding_count == 1);
}

TEST_CASE("debug: owns what it lent, from the first byte to the last") {
    FindingsLog log;
    DebugAllocator debug(log.options());
    for (const std::size_t size_bytes : {10u, 5000u, 1'000'000u}) {
        const auto block = debug.allocator().must_alloc<char>(size_bytes);
        CHECK(debug.owns(block.data()));
        CHECK(debug.owns(block.data() + size_bytes - 1));
        CHECK_FALSE(debug.owns(block.data() - 1));
        CHECK_FALSE(debug.owns(block.data() + size_bytes));
        debug.allocator().free(block);
        CHECK_FALSE(debug.owns(block.data()));
    }
    CHECK_FALSE(debug.owns(nullptr));
    CHECK_FALSE(debug.owns(&debug));
}

TEST_CASE("debug: freed memory holds the fill, new memory the other one") {
    FindingsLog log;
    DebugAllocator debug(log.options({.fill_allocated = 0x11, .fill_freed = 0x22}));
    auto* const block = static_cast<unsigned char*>(debug.raw_alloc(100, std::align_val_t{1}));
    if (!checked_build) CHECK(block[99] == 0x11);  // The caller fills with 0xAA in checked ones.
    std::memset(block, 7, 100);
    debug.raw_free(block, 100, std::align_val_t{1});
    CHECK(block[0] == 0x22);
    CHECK(block[99] == 0x22);
}

TEST_CASE("debug: in quarantine memory is not reused before enough was freed after it") {
    FindingsLog log;
    DebugAllocator debug(log.options({.fill_freed = 0x22, .quarantine_bytes = 10'000}));
    const auto first = debug.allocator().must_alloc<char>(1000);
    debug.allocator().free(first);
    for (int i = 0; i < 9; ++i) {
        const auto next = debug.allocator().must_alloc<char>(1000);
        CHECK(next.data() != first.data());
        debug.allocator().free(next);
    }
    bool was_reused = false;
    for (int i = 0; i < 9; ++i) {
        const auto next = debug.allocator().must_alloc<char>(1000);
        was_reused = was_reused || next.data() == first.data();
        debug.allocator().free(next);
    }
    CHECK(was_reused);
}

TEST_CASE("debug: without quarantine the block freed last is the next one") {
    FindingsLog log;
    DebugAllocator debug(log.options({.quarantine_bytes = 0}));
    const auto first = debug.allocator().must_alloc<char>(1000);
    debug.allocator().free(first);
    const auto second = debug.allocator().must_alloc<char>(1000);
    CHECK(second.data() == first.data());
    debug.allocator().free(second);
}

TEST_CASE("debug: guarded addresses are never used twice") {
    FindingsLog log;
    DebugAllocator debug(log.options({.guard = Guard::behind}));
    std::uintptr_t last = 0;
    for (int i = 0; i < 100; ++i) {
        const auto block = debug.allocator().must_alloc<char>(10);
        const auto address = reinterpret_cast<std::uintptr_t>(block.data());
        CHECK((address > last || i == 0));
        last = address;
        debug.allocator().free(block);
    }
}

TEST_CASE("debug: mistakes are seen through wrappers, with what the caller claimed") {
    FindingsLog log;
    DebugAllocator debug(log.options({.fill_freed = 0x22}));
    FailingAllocator failing({.backing = debug.allocator()});
    LockedAllocator locked({.backing = failing.allocator()});
    const auto block = locked.allocator().must_alloc<char>(100);
    locked.allocator().raw_free(block.data(), 50, std::align_val_t{1});
    REQUIRE(log.kinds() == Kinds{FindingKind::wrong_size});
    CHECK(log.findings[0].size_bytes == 100);
    CHECK(log.findings[0].claimed_size_bytes == 50);
    // A larger claim must not make anybody fill what lies behind the block.
    const auto left = locked.allocator().must_alloc<char>(16);
    const auto right = locked.allocator().must_alloc<char>(16);
    std::memset(right.data(), 7, 16);
    locked.allocator().raw_free(left.data(), 1000, std::align_val_t{1});
    CHECK(right[0] == 7);
    CHECK(log.kinds() == Kinds{FindingKind::wrong_size, FindingKind::wrong_size});
    locked.allocator().free(right);
    CHECK_FALSE(debug.deinit());
}

TEST_CASE("debug: a foreign pointer is named with the heap that owns it, where that is checked") {
    FindingsLog log;
    DebugAllocator debug(log.options());
    std::byte bytes[256];
    FixedBufferAllocator buffer(bytes, "my buffer");
    ArenaAllocator arena({.backing = page_allocator(), .name = "my arena"});
    ArenaAllocator inner({.backing = debug.allocator(), .name = "inner arena"});
    PoolAllocator<long> pool({.backing = c_allocator(), .name = "my pool"});
    StackFallbackAllocator<64> stack(debug.allocator(), "my stack");
    struct Case {
        Allocator owner;
        const char* name;
        FindingKind kind;
    };
    const Case cases[] = {
        {buffer.allocator(), "my buffer", FindingKind::foreign_free},
        {arena.allocator(), "my arena", FindingKind::foreign_free},
        {inner.allocator(), "inner arena", FindingKind::interior_free},
        {pool.allocator(), "my pool", FindingKind::foreign_free},
        {stack.allocator(), "my stack", FindingKind::foreign_free},
    };
    for (const auto& [owner, name, kind] : cases) {
        CAPTURE(name);
        long* const object = owner.must_create<long>(7);
        debug.raw_free(object, sizeof(long), std::align_val_t{alignof(long)});
        CHECK(*object == 7);
        owner.destroy(object);
        REQUIRE(log.findings.size() == 1);
        CHECK(name_of(log.findings[0].kind) == name_of(kind));
        const char* const other = log.findings[0].other_allocator_name;
        CHECK(std::string_view(other == nullptr ? "" : other) == (checked_build ? name : ""));
        log.findings.clear();
    }
}

TEST_CASE("debug: realloc of a wrong pointer or size is told once, and again the next time") {
    FindingsLog log;
    DebugAllocator debug(log.options());
    const auto text = debug.allocator().must_alloc<char>(100);
    const auto moved = debug.allocator().realloc(text.first(90), 5000);
    REQUIRE(moved.has_value());
    CHECK(log.kinds() == Kinds{FindingKind::wrong_size});
    for (const std::size_t count : {2u, 3u}) {
        const auto again = debug.allocator().realloc(text, 6000);
        REQUIRE(again.has_value());
        CHECK(log.findings.size() == count);
        CHECK(name_of(log.findings.back().kind) == name_of(FindingKind::double_free));
        debug.allocator().free(*again);
    }
    debug.allocator().free(*moved);
    CHECK(debug.counters().current_bytes == 0);
}

TEST_CASE("debug: a heap that is gone owns nothing") {
    FindingsLog log;
    DebugAllocator debug(log.options());
    std::byte bytes[256];
    void* memory = nullptr;
    for (int i = 0; i < 5000; ++i) {
        FixedBufferAllocator buffer(bytes, "my buffer");
        memory = buffer.raw_alloc(8, std::align_val_t{8});
        buffer.detach_from_thread();
    }
    debug.raw_free(memory, 8, std::align_val_t{8});
    REQUIRE(log.findings.size() == 1);
    CHECK(log.findings[0].other_allocator_name == nullptr);
}

TEST_CASE("debug: through a stack fallback, too") {
    FindingsLog log;
    DebugAllocator debug(log.options());
    StackFallbackAllocator<64> stack(debug.allocator());
    const auto block = stack.allocator().must_alloc<char>(100);
    stack.allocator().raw_free(block.data(), 1000, std::align_val_t{1});
    CHECK(log.kinds() == Kinds{FindingKind::wrong_size});
}

TEST_CASE("debug: after deinit it is out of memory, and late frees are foreign") {
    FindingsLog log;
    DebugAllocator debug(log.options({.name = "done"}));
    const auto block = debug.allocator().must_alloc<char>(10);
    CHECK(debug.deinit());
    CHECK_FALSE(debug.allocator().alloc<char>(10).has_value());
    debug.allocator().raw_free(block.data(), 10, std::align_val_t{1});
    CHECK_FALSE(debug.deinit());
    CHECK(log.kinds() == Kinds{FindingKind::leak, FindingKind::foreign_free});
    CHECK(debug.counters().current_bytes == 0);
}

TEST_CASE("debug: leak_count counts, and says nothing") {
    FindingsLog log;
    DebugAllocator debug(log.options());
    const auto block = debug.allocator().must_alloc<char>(10);
    CHECK(debug.leak_count() == 1);
    CHECK(log.texts.empty());
    debug.allocator().free(block);
    CHECK(debug.leak_count() == 0);
}

TEST_CASE("debug: options that contradict each other have a sentence") {
    const auto mistake = [](Options options) {
        const char* const text = options.mistake();
        return std::string(text == nullptr ? "" : text);
    };
    CHECK(mistake({}) == "");
    CHECK(mistake({.stack_frame_count = 65}) ==
          "stack_frame_count is above 64, the most that a trace holds");
    CHECK(mistake({.limit_bytes = 0}) ==
          "limit_bytes is 0, so nothing could be allocated; for that use NullAllocator");
    CHECK(mistake({.pad_before_bytes = 8}) ==
          "pad_before_bytes is no multiple of 16, which would break alignment");
    CHECK(mistake({.pad_after_bytes = 4097}) == "a pad is larger than 4096 bytes");
    CHECK(mistake({.fill_freed = std::nullopt, .quarantine_bytes = 1}) ==
          "quarantine_bytes without fill_freed: there would be nothing to check");
    CHECK(mistake({.stack_frame_count = 0, .refresh_trace_on_resize = true}) ==
          "refresh_trace_on_resize with a stack_frame_count of 0: there are no traces");
    CHECK(mistake({.stack_frame_count = 0, .suppressions_path = "x"}) ==
          "suppressions_path with a stack_frame_count of 0: nothing could match");
    CHECK(mistake({.on_finding = OnFinding::call}) ==
          "on_finding is `call`, and there is no callback");
    FindingsLog log;
    CHECK(mistake({.callback = log.callback()}) ==
          "there is a callback, and on_finding is not `call`");
}

TEST_CASE("debug: a mistake in the options stops the program with that sentence") {
    const auto child =
        tests::run_in_child([] { DebugAllocator({.limit_bytes = 0, .name = "zero"}); });
    CHECK(child.trapped());
    CHECK(child.stderr_text ==
          "carbide: DebugAllocator 'zero': limit_bytes is 0, so nothing could be allocated; for "
          "that use NullAllocator\n");
}

TEST_CASE("debug: by default it is ready for use") {
    DebugAllocator debug;
    CHECK(std::string_view(debug.name()) == "debug");
    debug.allocator().free(debug.allocator().must_alloc<char>(10));
    CHECK_FALSE(debug.deinit());
}

}  // namespace
}  // namespace carbide
