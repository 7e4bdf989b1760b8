// SPDX-License-Identifier: MIT
#include "platform/traces.hpp"

#include <doctest/doctest.h>
#include <malloc.h>
#include <sys/resource.h>
#include <sys/time.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <thread>
#include <vector>

#include "carbide/memory_marks.hpp"
#include "platform/modules.hpp"
#include "platform/pages.hpp"
#include "platform/stack_walk.hpp"
#include "support/child_process.hpp"
#include "support/stack_oracle.hpp"

using namespace carbide;
using namespace carbide::platform;

namespace {

template <typename T>
void keep(T& value) {
    asm volatile("" : : "r"(&value) : "memory");
}

// Compilers merge calls that are alike; between different instructions they cannot.
#define CARBIDE_TEST_OWN_CALL(instructions, call) \
    asm volatile(instructions);                   \
    call;                                         \
    asm volatile(instructions)

struct Seen {
    StackTrace trace;
    StackPoint from;
};

[[gnu::noinline]] Seen see(unsigned frame_count_max) {
    Seen seen{};
    seen.from = caller_point();
    seen.trace = capture_trace(seen.from, frame_count_max);
    keep(seen);
    return seen;
}

// Up to 64 frames, past the memo, which knows nothing of a limit that was never asked for.
StackTrace walked_anew(const StackPoint& from) {
    static unsigned unknown_limit = 1U << 20;
    return capture_trace(from, ++unknown_limit);
}

}  // namespace

namespace {

[[gnu::noinline]] StackTrace capture_path(unsigned path, unsigned depth) {
    StackTrace trace;
    if (depth == 0) {
        trace = see(64).trace;
    } else if (path % 2 == 0) {
        CARBIDE_TEST_OWN_CALL("nop", trace = capture_path(path / 2, depth - 1));
    } else {
        CARBIDE_TEST_OWN_CALL("nop; nop", trace = capture_path(path / 2, depth - 1));
    }
    keep(trace);
    return trace;
}

}  // namespace

// Functions of equal frames: only the middle one's return address tells the stacks apart.

namespace {

[[gnu::noinline]] Seen innermost() {
    Seen seen = see(64);
    keep(seen);
    return seen;
}
[[gnu::noinline]] Seen middle(bool first) {
    Seen seen{};
    if (first) {
        CARBIDE_TEST_OWN_CALL("nop", seen = innermost());
    } else {
        CARBIDE_TEST_OWN_CALL("nop; nop", seen = innermost());
    }
    keep(seen);
    return seen;
}
[[gnu::noinline]] Seen below_middle(bool first) {
    Seen seen = middle(first);
    keep(seen);
    return seen;
}

}  // namespace

TEST_CASE("traces: stacks that differ in a middle frame only are told apart") {
    Seen seen[6];
    tests::repeat(6, [&](unsigned i) { seen[i] = below_middle(i % 2 == 0); });
    // Otherwise this test shows nothing.
    REQUIRE(seen[0].from.return_address == seen[1].from.return_address);
    REQUIRE(seen[0].from.stack_pointer == seen[1].from.stack_pointer);

    CHECK(seen[0].trace != seen[1].trace);
    for (unsigned i = 2; i < 6; ++i) CHECK(seen[i].trace == seen[i % 2].trace);
    const auto first = tests::frames_of(seen[0].trace);
    const auto second = tests::frames_of(seen[1].trace);
    REQUIRE(first.size() == second.size());
    unsigned different_count = 0;
    for (std::size_t i = 0; i < first.size(); ++i) different_count += first[i] != second[i];
    CHECK(different_count == 1);
    CHECK(first[1] != second[1]);
}

TEST_CASE("traces: each depth of a recursion has a trace of its own, in any order") {
    StackTrace traces[41];
    const auto capture_all = [&](bool deepest_first) {
        tests::repeat(41, [&](unsigned i) {
            const unsigned depth = deepest_first ? 40 - i : i;
            traces[depth] = capture_path(0, depth);
        });
        for (unsigned i = 1; i <= 40; ++i) {
            CHECK(traces[i].frame_count() == traces[0].frame_count() + i);
        }
    };
    capture_all(true);
    capture_all(false);
    capture_all(true);
}

// Points of departure that were made up, in code that says nothing about itself.

namespace {

constexpr std::uintptr_t unknown_code = 0x1000;

StackTrace capture_made_up(const std::uintptr_t* stack, const std::uintptr_t* frame) {
    return capture_trace({unknown_code, reinterpret_cast<std::uintptr_t>(stack),
                          reinterpret_cast<std::uintptr_t>(frame)},
                         64);
}

}  // namespace

TEST_CASE("traces: stacks that differ in the frame pointer only are told apart") {
    const std::uintptr_t stack[] = {0, unknown_code + 1, 0, unknown_code + 2};
    StackTrace traces[4];
    for (unsigned i = 0; i < 4; ++i) traces[i] = capture_made_up(stack, stack + i % 2 * 2);
    CHECK(traces[0].return_address(1) == unknown_code + 1);
    CHECK(traces[1].return_address(1) == unknown_code + 2);
    CHECK(traces[2] == traces[0]);
    CHECK(traces[3] == traces[1]);
}

TEST_CASE("traces: a guess on an unknown stack is made anew, for the stack may have got shorter") {
    const std::size_t page = page_bytes();
    auto* const memory = static_cast<char*>(map_pages(2 * page, page));
    auto* const inner = reinterpret_cast<std::uintptr_t*>(memory);
    auto* const outer = reinterpret_cast<std::uintptr_t*>(memory + page);
    inner[0] = reinterpret_cast<std::uintptr_t>(outer);
    inner[1] = unknown_code + 1;
    outer[1] = unknown_code + 2;
    CHECK(capture_made_up(inner, inner).frame_count() == 3);
    CHECK(capture_made_up(inner, inner).frame_count() == 3);
    unmap_pages(memory + page, page);
    CHECK(capture_made_up(inner, inner).frame_count() == 2);
    unmap_pages(memory, page);
}

TEST_CASE("traces: a limit cuts the same stack at the outer end") {
    std::vector<std::uintptr_t> whole;
    tests::repeat(64, [&](unsigned i) {
        const unsigned limit = 64 - i;
        const StackTrace trace = see(limit).trace;
        if (i == 0) whole = tests::frames_of(trace);
        whole.resize(std::min<std::size_t>(limit, whole.size()));
        CHECK(tests::frames_of(trace) == whole);
    });
    CHECK(see(0).trace.is_empty());
}

namespace {

struct RandomWalker {
    std::mt19937 random{1};
    unsigned capture_count = 0;
    unsigned mistake_count = 0;

    [[gnu::noinline]] void compare() {
        constexpr unsigned limit = StackTrace::frame_count_max;
        const StackPoint from = caller_point();
        const StackTrace trace = capture_trace(from, limit);
        capture_count += 1;
        mistake_count += trace != walked_anew(from);
        if (capture_count % 8 == 0) {
            mistake_count += tests::frames_of(trace) != tests::oracle_frames();
        }
        keep(*this);
    }

    [[gnu::noinline]] void left(unsigned depth) {
        char buffer[40];
        keep(buffer);
        go(depth);
        keep(buffer);
    }
    [[gnu::noinline]] void right(unsigned depth) {
        char buffer[40];
        keep(buffer);
        go(depth);
        keep(buffer);
        compare();
        keep(buffer);
    }
    [[gnu::noinline]] void with_array(unsigned depth) {
        auto* const array = static_cast<char*>(__builtin_alloca(random() % 64 + 1));
        keep(*array);
        go(depth);
        keep(*array);
    }
    [[gnu::noinline]] void go(unsigned depth) {
        if (depth == 0) {
            compare();
        } else {
            switch (random() % 4) {
                case 0:
                    left(depth - 1);
                    break;
                case 1:
                    right(depth - 1);
                    break;
                case 2:
                    with_array(depth - 1);
                    break;
                default:
                    go(depth - 1);
                    go(depth - 1);
            }
        }
        keep(depth);
    }
};

}  // namespace

TEST_CASE("traces: remembered, walked and the compiler's unwinder agree on random call trees") {
    RandomWalker walker;
    while (walker.capture_count < 5'000) walker.go(static_cast<unsigned>(walker.random() % 9));
    CHECK(walker.mistake_count == 0);
}

TEST_CASE("traces: frames know their module") {
    const StackTrace trace = see(64).trace;
    const Module* const program = frame_of(trace, 0).module;
    REQUIRE(program != nullptr);
    CHECK(std::filesystem::equivalent(program->path, "/proc/self/exe"));
    const auto here = reinterpret_cast<std::uintptr_t>(&see);
    CHECK(program->begin <= here);
    CHECK(here < program->end);
    bool passes_the_c_library = false;
    for (unsigned i = 0; i < frame_count_of(trace); ++i) {
        const Module* const module = frame_of(trace, i).module;
        REQUIRE(module != nullptr);
        passes_the_c_library |= std::string(module->path).find("libc.so") != std::string::npos;
    }
    CHECK(passes_the_c_library);
}

TEST_CASE("traces: capturing leaves errno alone") {
    errno = 4711;
    std::thread([] {
        errno = 4711;
        const StackTrace trace = see(64).trace;
        CHECK(errno == 4711);
        CHECK_FALSE(trace.is_empty());
    }).join();
    const StackTrace trace = see(63).trace;
    CHECK(errno == 4711);
    CHECK_FALSE(trace.is_empty());
}

// Sanitizers have another malloc, which counts nothing.
#if !CARBIDE_ASAN && !defined(__SANITIZE_THREAD__)

TEST_CASE("traces: the first captures of a thread allocate nothing from the program's heap") {
    std::size_t used_bytes[2] = {};
    std::thread([&] {
        static_cast<void>(std::malloc(1) == nullptr);  // Makes the thread's own lists.
        used_bytes[0] = mallinfo2().uordblks;
        for (unsigned limit = 1; limit < 64; ++limit) static_cast<void>(see(limit));
        used_bytes[1] = mallinfo2().uordblks;
    }).join();
    CHECK(used_bytes[0] == used_bytes[1]);
}

namespace {

[[gnu::noinline]] void fill_traces(unsigned depth, unsigned& path) {
    if (depth == 0) {
        if (!see(64).trace.is_empty()) std::fputs("+", stderr);
    } else if (path >> depth & 1) {
        CARBIDE_TEST_OWN_CALL("nop", fill_traces(depth - 1, path));
    } else {
        CARBIDE_TEST_OWN_CALL("nop; nop", fill_traces(depth - 1, path));
    }
    keep(path);
}

}  // namespace

TEST_CASE("traces: a new trace is empty where there is no memory") {
    const tests::ChildResult child = tests::run_in_child([] {
        static_cast<void>(see(61));  // Maps the first chunk.
        const rlimit none{.rlim_cur = 1 << 20, .rlim_max = 1 << 20};
        setrlimit(RLIMIT_AS, &none);
        unsigned path = 0;
        std::fputs("[", stderr);
        // 64 frames and a header take 528 bytes; nothing is left after a chunk of 1 MiB.
        for (path = 0; path < 4096; ++path) fill_traces(55, path);
        StackTrace fresh = see(62).trace;
        std::fputs(fresh.is_empty() ? "] none" : "] some", stderr);
    });
    CHECK(child.signal == 0);
    CHECK(child.wrote("] none"));
    const auto added_count = std::count(child.stderr_text.begin(), child.stderr_text.end(), '+');
    CHECK(added_count > 100);
    CHECK(added_count < 2100);
}

#endif

namespace {

void capture_all_paths(std::vector<StackTrace>& traces) {
    tests::repeat(256, [&](unsigned path) { traces.push_back(capture_path(path, 8)); });
}

}  // namespace

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
