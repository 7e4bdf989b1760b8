// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/time.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <iterator>
#include <thread>
#include <vector>

#include "carbide/memory_marks.hpp"
#include "platform/capture_paths.hpp"
#include "platform/traces.hpp"
#include "support/child_process.hpp"
#include "support/stack_oracle.hpp"

// Captures beside and within other captures: threads, signals, fork.
using namespace carbide;
using namespace carbide::platform;
using tests::capture_all_paths;
using tests::capture_path;
using tests::keep;
using tests::see;
using tests::Seen;

TEST_CASE("traces: eight threads that capture the same stacks at once get the same traces") {
    constexpr unsigned thread_count = 8;
    std::vector<StackTrace> traces[thread_count];
    {
        std::vector<std::jthread> threads;
        for (auto& list : traces) {
            threads.emplace_back([&list] {
                list.reserve(512);
                capture_all_paths(list);
                capture_all_paths(list);
            });
        }
    }
    // The two rounds differ in the place that they are called from.
    for (unsigned i = 1; i < thread_count; ++i) CHECK(traces[i] == traces[0]);
    std::vector<std::uint32_t> ids;
    for (const StackTrace trace : traces[0]) ids.push_back(trace.id());
    std::sort(ids.begin(), ids.end());
    CHECK(std::unique(ids.begin(), ids.end()) == ids.end());
}

TEST_CASE("traces: threads that come and go reuse the memory of those before") {
    rusage before{};
    rusage after{};
    for (int i = 0; i < 300; ++i) {
        if (i == 20) getrusage(RUSAGE_SELF, &before);
        std::vector<StackTrace> traces;
        std::thread([&] { capture_all_paths(traces); }).join();
        CHECK_FALSE(traces.back().is_empty());
    }
    getrusage(RUSAGE_SELF, &after);
    CHECK(after.ru_maxrss - before.ru_maxrss < 8 << 10);  // KiB; 280 memos would take 19 MiB.
}

// ThreadSanitizer delivers signals at times of its own.
#ifndef __SANITIZE_THREAD__

namespace {

std::atomic<unsigned> handled_count = 0;
std::atomic<unsigned> mistake_count = 0;

void capture_in_handler(int) {
    const Seen seen = see(64);
    const bool is_empty = seen.trace.is_empty();  // Where it interrupted the making of a trace.
    const bool is_wrong = !is_empty && seen.trace.return_address(0) != seen.from.return_address;
    handled_count.fetch_add(1, std::memory_order_relaxed);
    if (is_wrong) mistake_count.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

TEST_CASE("traces: a signal handler that captures does not spoil the capture it interrupts") {
    std::vector<StackTrace> expected;
    std::vector<StackTrace> found;
    struct sigaction action = {};
    action.sa_handler = capture_in_handler;
    REQUIRE(sigaction(SIGALRM, &action, nullptr) == 0);
    const itimerval often{.it_interval = {.tv_sec = 0, .tv_usec = 50},
                          .it_value = {.tv_sec = 0, .tv_usec = 50}};
    unsigned wrong_round_count = 0;
    REQUIRE(setitimer(ITIMER_REAL, &often, nullptr) == 0);
    constexpr unsigned round_count = CARBIDE_ASAN ? 200 : 5000;  // It takes 40 times as long.
    tests::repeat(round_count, [&](unsigned round) {
        found.clear();
        capture_all_paths(found);
        if (round == 0) expected = found;
        wrong_round_count += found != expected;
    });
    const itimerval never{};
    setitimer(ITIMER_REAL, &never, nullptr);
    std::signal(SIGALRM, SIG_DFL);
    CHECK(wrong_round_count == 0);
    CHECK(handled_count > 0);
    CHECK(mistake_count == 0);
}

#ifdef __x86_64__

namespace {

unsigned stepped_count = 0;
unsigned empty_count = 0;
unsigned wrong_count = 0;

// Between any two instructions of a capture.
void capture_at_step(int) {
    const StackTrace trace = see(64).trace;
    stepped_count += 1;
    empty_count += trace.is_empty();
    const auto frames = tests::frames_of(trace);
    const auto expected = tests::oracle_frames();
    // They differ in the line of this function.
    const bool is_right = frames.size() == expected.size() + 1 &&
                          std::equal(frames.begin() + 2, frames.end(), expected.begin() + 1);
    wrong_count += !trace.is_empty() && !is_right;
}

// The trap flag: the processor stops after each instruction.
[[gnu::always_inline]] inline void step_from_here() {
    asm volatile("lea -128(%%rsp), %%rsp; pushfq; orl $0x100, (%%rsp); popfq; lea 128(%%rsp), %%rsp"
                 :
                 :
                 : "memory", "cc");
}

[[gnu::noinline]] StackTrace capture_in_steps(unsigned limit) {
    const StackPoint from = caller_point();
    step_from_here();
    StackTrace trace = capture_trace(from, limit);
    keep(trace);
    // Without moving the stack pointer, which the handler's walk begins with.
    static std::uintptr_t flags;
    flags = __builtin_ia32_readeflags_u64() & ~std::uintptr_t{0x100};
    __builtin_ia32_writeeflags_u64(flags);
    return trace;
}

}  // namespace

TEST_CASE("traces: a handler may capture between any two instructions of a capture") {
    struct sigaction action = {};
    action.sa_handler = capture_at_step;
    REQUIRE(sigaction(SIGTRAP, &action, nullptr) == 0);
    StackTrace traces[12];
    // New, then remembered unless a handler's stack has taken the place.
    tests::repeat(12, [&](unsigned i) { traces[i] = capture_in_steps(50 + i % 3); });
    std::signal(SIGTRAP, SIG_DFL);
    for (unsigned i = 0; i < 12; ++i) CHECK(traces[i] == traces[0]);
    CHECK_FALSE(traces[0].is_empty());
    CHECK(stepped_count > 1000);
    CHECK(empty_count < stepped_count);
    CHECK(wrong_count == 0);
}

#endif

#endif

TEST_CASE("traces: a child goes on where another thread was adding a trace during fork") {
    std::atomic<bool> is_over = false;
    std::jthread adding([&] {
        for (unsigned path = 0; !is_over; ++path) static_cast<void>(capture_path(path, 20));
    });
    for (int i = 0; i < 30; ++i) {
        const tests::ChildResult child = tests::run_in_child([] {
            for (unsigned path = 0; path < 50; ++path) {
                if (capture_path(path, 21).is_empty()) std::fputs("empty", stderr);
            }
        });
        CHECK(child.signal == 0);
        CHECK(child.stderr_text == "");
    }
    is_over = true;
}
