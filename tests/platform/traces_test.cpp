// SPDX-License-Identifier: MIT
#include "platform/traces.hpp"

#include <doctest/doctest.h>
#include <malloc.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "carbide/memory_marks.hpp"
#include "platform/capture_paths.hpp"
#include "platform/modules.hpp"
#include "platform/pages.hpp"
#include "support/child_process.hpp"
#include "support/stack_oracle.hpp"

using namespace carbide;
using namespace carbide::platform;
using tests::capture_path;
using tests::keep;
using tests::see;
using tests::Seen;

namespace {

// Up to 64 frames, past the memo, which knows nothing of a limit that was never asked for.
StackTrace walked_anew(const StackPoint& from) {
    static unsigned unknown_limit = 1U << 20;
    return capture_trace(from, ++unknown_limit);
}

// Functions of equal frames: only the middle one's return address tells the stacks apart.

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
