// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <span>
#include <thread>
#include <vector>

#include "carbide/debug_allocator.hpp"
#include "heap/debug/findings_log.hpp"

// The debug allocator, used by several threads and across a fork.
namespace carbide {
namespace {

using tests::FindingsLog;
using Kinds = std::vector<FindingKind>;

TEST_CASE("debug: several threads never exceed the limit together") {
    FindingsLog log;
    DebugAllocator debug(log.options({.stack_frame_count = 0, .limit_bytes = 1000}));
    std::atomic<std::int64_t> lent_bytes = 0;
    std::atomic<bool> exceeded = false;
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 4; ++i) {
            threads.emplace_back([&] {
                for (int round = 0; round < 2000; ++round) {
                    const auto block = debug.allocator().alloc<char>(400);
                    if (!block.has_value()) continue;
                    if ((lent_bytes += 400) > 1000) exceeded = true;
                    lent_bytes -= 400;
                    debug.allocator().free(*block);
                }
            });
        }
    }
    CHECK_FALSE(exceeded);
    CHECK(debug.counters().current_bytes == 0);
}

TEST_CASE("debug: the peak over several threads is at most 64 KiB a thread too low") {
    FindingsLog log;
    DebugAllocator debug(log.options({.stack_frame_count = 0, .quarantine_bytes = 0}));
    std::vector<std::span<char>> blocks[2];
    for (auto& some : blocks) {
        std::thread([&] {
            for (int i = 0; i < 1000; ++i) some.push_back(debug.allocator().must_alloc<char>(1000));
        }).join();
    }
    for (auto& some : blocks) {
        for (const auto& block : some) debug.allocator().free(block);
    }
    CHECK(debug.counters().peak_bytes <= 2'000'000);
    CHECK(debug.counters().peak_bytes >= 2'000'000 - 2 * (64 << 10));
}

TEST_CASE("debug: a second thread may take a single-owner one over when it is detached") {
    FindingsLog log;
    DebugAllocator debug(log.options({.thread_safe = false}));
    debug.allocator().free(debug.allocator().must_alloc<char>(10));
    debug.detach_from_thread();
    std::thread([&] { debug.allocator().free(debug.allocator().must_alloc<char>(10)); }).join();
    CHECK(log.kinds().empty());
    debug.allocator().free(debug.allocator().must_alloc<char>(10));
    debug.allocator().free(debug.allocator().must_alloc<char>(10));
    CHECK(log.kinds() == Kinds{FindingKind::second_thread});
}

TEST_CASE("debug: what one thread allocates another may free") {
    FindingsLog log;
    DebugAllocator debug(log.options());
    std::vector<std::span<char>> blocks;
    std::thread([&] {
        for (int i = 0; i < 1000; ++i) blocks.push_back(debug.allocator().must_alloc<char>(100));
    }).join();
    for (const auto& block : blocks) debug.allocator().free(block);
    CHECK(debug.counters().current_bytes == 0);
    CHECK_FALSE(debug.deinit());
}

TEST_CASE("debug: a child forked while other threads allocate can go on") {
    FindingsLog log;
    DebugAllocator debug(log.options());
    std::atomic<bool> stop = false;
    std::vector<std::jthread> threads;
    for (int i = 0; i < 3; ++i) {
        threads.emplace_back([&] {
            while (!stop) debug.allocator().free(debug.allocator().must_alloc<char>(100));
        });
    }
    for (int i = 0; i < 20; ++i) {
        const pid_t pid = fork();
        REQUIRE(pid >= 0);
        if (pid == 0) {
            alarm(20);
            for (int round = 0; round < 100; ++round) {
                debug.allocator().free(debug.allocator().must_alloc<char>(100));
            }
            static_cast<void>(debug.leak_count());
            _exit(0);
        }
        int status = 0;
        REQUIRE(waitpid(pid, &status, 0) == pid);
        CHECK(status == 0);
    }
    stop = true;
}

TEST_CASE("debug: what stays lent out can be read while it is resized in place") {
    for (const std::size_t large_bytes : {std::size_t{1000}, std::size_t{1'000'000}}) {
        FindingsLog log;
        DebugAllocator::Options options = log.options({.fill_freed = 0x22});
        options.mark_for_checkers = true;
        DebugAllocator debug(options);
        const Allocator handle = debug.allocator();
        const std::span<char> block = handle.must_alloc<char>(large_bytes);
        block.front() = 'a';
        std::atomic<bool> stop = false;
        std::jthread reader([&] {
            const volatile char& first = block.front();
            while (!stop && first == 'a') {
            }
        });
        for (int round = 0; round < 2000; ++round) {
            REQUIRE(handle.resize(block, large_bytes - 100));
            REQUIRE(handle.resize(block.first(large_bytes - 100), large_bytes));
        }
        stop = true;
        reader.join();
        CHECK(block.front() == 'a');
        handle.free(block);
        CHECK(log.texts.empty());
    }
}

}  // namespace
}  // namespace carbide
