// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <csignal>
#include <cstring>
#include <functional>
#include <regex>
#include <span>
#include <sstream>
#include <string>
#include <thread>

#include "carbide/arena_allocator.hpp"
#include "carbide/debug_allocator.hpp"
#include "support/child_process.hpp"

// What a program with one mistake writes to standard error, from the first letter to the last.
namespace carbide {
namespace {

using Guard = DebugAllocator::Guard;
using Options = DebugAllocator::Options;
using Text = std::span<char>;

// Functions for the call stacks. None ends with a call, which would become a jump, and none is
// inlined or cloned.
#define FRAME [[gnu::noinline, gnu::noipa]]
#ifdef __clang__
#undef FRAME
#define FRAME [[gnu::noinline]]
#endif

void stay() { asm volatile("" : : : "memory"); }

FRAME Text allocates(Allocator allocator, std::size_t size_bytes) {
    const Text text = allocator.must_alloc<char>(size_bytes);
    stay();
    return text;
}

FRAME void frees(Allocator allocator, Text text) {
    allocator.free(text);
    stay();
}

FRAME void frees_again(Allocator allocator, Text text) {
    allocator.free(text);
    stay();
}

FRAME void frees_aligned(Allocator allocator, Text text) {
    allocator.raw_free(text.data(), text.size(), std::align_val_t{64});
    stay();
}

FRAME std::size_t checks(DebugAllocator& debug) {
    const std::size_t finding_count = debug.check_all();
    stay();
    return finding_count;
}

FRAME bool ends(DebugAllocator& debug) {
    const bool leaked = debug.deinit();
    stay();
    return leaked;
}

FRAME void writes(volatile char* address, char value) {
    *address = value;
    stay();
}

FRAME char reads(const volatile char* address) {
    const char value = *address;
    stay();
    return value;
}

// Our frames, without line numbers and what is below them, and addresses by name.
std::string normalised(const std::string& report) {
    std::istringstream lines(std::regex_replace(report, std::regex("0x[0-9a-f]+"), "ADDRESS"));
    std::string result;
    bool is_below = false;
    for (std::string line; std::getline(lines, line);) {
        const bool is_frame = line.starts_with("    #");
        const bool is_ours = line.find("debug_reports_test.cpp") != std::string::npos &&
                             line.find("operator()") == std::string::npos &&
                             line.find("_FUN") == std::string::npos;
        is_below = is_frame && (is_below || !is_ours);
        if (is_below) continue;
        line = std::regex_replace(line, std::regex(" at .*debug_reports_test.cpp:[0-9]+"), "");
        line = std::regex_replace(line, std::regex("carbide::\\(anonymous namespace\\)::"), "");
        line = std::regex_replace(line, std::regex("std::span<char, [0-9]+ul>"), "Text");
        line = std::regex_replace(line, std::regex("carbide::(Allocator|DebugAllocator)"), "$1");
        line = std::regex_replace(line, std::regex("thread [0-9]+"), "thread T");
        result += line + "\n";
    }
    return result;
}

Options checked(Options options = {}) {
    options.stack_frame_count = 16;
    options.mark_for_checkers = false;  // The mistake is to be found here.
    if (options.name == std::string("debug")) options.name = "parser";
    return options;
}

// The report of what `body` does with an allocator of these options.
std::string report_of(const Options& options, const std::function<void(DebugAllocator&)>& body) {
    return normalised(tests::run_in_child([&] {
                          DebugAllocator debug(checked(options));
                          body(debug);
                      }).stderr_text);
}

TEST_CASE("debug report: a leak") {
    const std::string report = report_of(
        {}, [](DebugAllocator& debug) { static_cast<void>(allocates(debug.allocator(), 48)); });
    CHECK(report == R"(carbide: allocator 'parser' leaked 1 allocation, 48 bytes, from 1 place
  48 bytes at ADDRESS, allocated:
    #0 allocates(Allocator, unsigned long)
)");
}

TEST_CASE("debug report: leaks of one stack are one group, the largest first") {
    const std::string report = report_of({}, [](DebugAllocator& debug) {
        int count = 3;
        asm("" : "+r"(count));  // The loop is not unrolled, and has one call.
        for (int i = 0; i < count; ++i) {
            static_cast<void>(allocates(debug.allocator(), 10));
        }
        static_cast<void>(allocates(debug.allocator(), 5000));
    });
    CHECK(report ==
          R"(carbide: allocator 'parser' leaked 4 allocations, 4.9 KiB (5,030 bytes), from 2 places
  4.9 KiB (5,000 bytes) at ADDRESS, allocated:
    #0 allocates(Allocator, unsigned long)
  30 bytes in 3 allocations, one of them 10 bytes at ADDRESS, allocated:
    #0 allocates(Allocator, unsigned long)
)");
}

TEST_CASE("debug report: a double free") {
    const std::string report = report_of({}, [](DebugAllocator& debug) {
        const Text text = allocates(debug.allocator(), 48);
        frees(debug.allocator(), text);
        frees_again(debug.allocator(), text);
    });
    CHECK(report == R"(carbide: double free in allocator 'parser': 48 bytes at ADDRESS
  It had been freed before; the second free did nothing.
  here:
    #0 frees_again(Allocator, Text)
  allocated:
    #0 allocates(Allocator, unsigned long)
  first free:
    #0 frees(Allocator, Text)
)");
}

TEST_CASE("debug report: a double free of a large allocation, whose memory is gone") {
    const std::string report = report_of({}, [](DebugAllocator& debug) {
        const Text text = allocates(debug.allocator(), 1'000'000);
        frees(debug.allocator(), text);
        frees_again(debug.allocator(), text);
    });
    CHECK(report ==
          R"(carbide: double free in allocator 'parser': 976.6 KiB (1,000,000 bytes) at ADDRESS
  It had been freed before; the second free did nothing.
  here:
    #0 frees_again(Allocator, Text)
  allocated:
    #0 allocates(Allocator, unsigned long)
  first free:
    #0 frees(Allocator, Text)
)");
}

TEST_CASE("debug report: a free into the middle") {
    const std::string report = report_of({}, [](DebugAllocator& debug) {
        const Text text = allocates(debug.allocator(), 48);
        frees(debug.allocator(), text.subspan(8));
        frees(debug.allocator(), text);
    });
    CHECK(
        report ==
        R"(carbide: free of an address inside an allocation in allocator 'parser': 48 bytes at ADDRESS
  The caller freed ADDRESS, 8 bytes behind its start.
  Only the start can be freed; nothing was.
  here:
    #0 frees(Allocator, Text)
  allocated:
    #0 allocates(Allocator, unsigned long)
)");
}

TEST_CASE("debug report: a free of a pointer that nobody gave out") {
    const std::string report = report_of({}, [](DebugAllocator& debug) {
        char local[8];
        frees(debug.allocator(), local);
    });
    CHECK(report == R"(carbide: free of a foreign pointer in allocator 'parser': ADDRESS
  This allocator never gave that address out, or took it back long ago.
  Nothing was freed.
  here:
    #0 frees(Allocator, Text)
)");
}

TEST_CASE("debug report: a free to the wrong allocator names the right one") {
    const std::string report = report_of({}, [](DebugAllocator& debug) {
        DebugAllocator other(checked({.name = "lexer"}));
        const Text text = allocates(other.allocator(), 48);
        frees(debug.allocator(), text);
        frees(other.allocator(), text);
    });
    CHECK(report == R"(carbide: free of a foreign pointer in allocator 'parser': ADDRESS
  It belongs to the allocator 'lexer', which has to free it.
  Nothing was freed.
  here:
    #0 frees(Allocator, Text)
)");
}

TEST_CASE("debug report: a wrong size, and the recorded one is what counts") {
    for (const std::size_t size_bytes : {48u, 5000u, 1'000'000u}) {
        CAPTURE(size_bytes);
        const std::string report = report_of({}, [&](DebugAllocator& debug) {
            const Text text = allocates(debug.allocator(), size_bytes);
            frees(debug.allocator(), text.first(20));
            if (debug.counters().current_bytes != 0) std::abort();
        });
        const std::string size = size_bytes == 48     ? "48 bytes"
                                 : size_bytes == 5000 ? "4.9 KiB (5,000 bytes)"
                                                      : "976.6 KiB (1,000,000 bytes)";
        CHECK(report == "carbide: wrong size in allocator 'parser': " + size + " at ADDRESS\n" +
                            "  The caller freed or resized it as 20 bytes, but had asked for " +
                            size +
                            R"(.
  The recorded size was used.
  here:
    #0 frees(Allocator, Text)
  allocated:
    #0 allocates(Allocator, unsigned long)
)");
    }
}

TEST_CASE("debug report: a wrong alignment") {
    for (const std::size_t size_bytes : {48u, 1'000'000u}) {
        CAPTURE(size_bytes);
        const std::string report = report_of({}, [&](DebugAllocator& debug) {
            frees_aligned(debug.allocator(), allocates(debug.allocator(), size_bytes));
        });
        const std::string size = size_bytes == 48 ? "48 bytes" : "976.6 KiB (1,000,000 bytes)";
        CHECK(report == "carbide: wrong alignment in allocator 'parser': " + size +
                            R"( at ADDRESS
  The caller freed or resized it with an alignment of 64 bytes, but had asked for 1 byte.
  The recorded alignment was used.
  here:
    #0 frees_aligned(Allocator, Text)
  allocated:
    #0 allocates(Allocator, unsigned long)
)");
    }
}

TEST_CASE("debug report: writes before and after a block, told at the free") {
    const std::string report = report_of({}, [](DebugAllocator& debug) {
        const Text text = allocates(debug.allocator(), 48);
        writes(text.data() - 2, 'A');
        writes(text.data() + 50, 'B');
        frees(debug.allocator(), text);
    });
    CHECK(report ==
          R"(carbide: write in front of an allocation in allocator 'parser': 48 bytes at ADDRESS
  The first byte that was overwritten stands 2 bytes in front of it.
  Found there: 41  "A"
  noticed here:
    #0 frees(Allocator, Text)
  allocated:
    #0 allocates(Allocator, unsigned long)
carbide: write past the end of an allocation in allocator 'parser': 48 bytes at ADDRESS
  The first byte that was overwritten stands 2 bytes behind its end.
  Found there: 42  "B"
  noticed here:
    #0 frees(Allocator, Text)
  allocated:
    #0 allocates(Allocator, unsigned long)
)");
}

TEST_CASE("debug report: a write after a block, told by check_all and not again") {
    const std::string report = report_of({}, [](DebugAllocator& debug) {
        const Text text = allocates(debug.allocator(), 48);
        writes(text.data() + 48, '\0');
        if (checks(debug) != 1 || checks(debug) != 0) std::abort();
        frees(debug.allocator(), text);
    });
    CHECK(report ==
          R"(carbide: write past the end of an allocation in allocator 'parser': 48 bytes at ADDRESS
  The first byte that was overwritten stands right behind its end.
  Found there: 00  "."
  noticed here:
    #0 checks(DebugAllocator&)
  allocated:
    #0 allocates(Allocator, unsigned long)
)");
}

TEST_CASE("debug report: a write after a block that is never freed, told at the end") {
    const std::string report = report_of({}, [](DebugAllocator& debug) {
        const Text text = allocates(debug.allocator(), 48);
        writes(text.data() + 48, '\0');
        if (!ends(debug)) std::abort();
    });
    CHECK(report ==
          R"(carbide: write past the end of an allocation in allocator 'parser': 48 bytes at ADDRESS
  The first byte that was overwritten stands right behind its end.
  Found there: 00  "."
  noticed here:
    #0 ends(DebugAllocator&)
  allocated:
    #0 allocates(Allocator, unsigned long)
carbide: allocator 'parser' leaked 1 allocation, 48 bytes, from 1 place
  48 bytes at ADDRESS, allocated:
    #0 allocates(Allocator, unsigned long)
)");
}

TEST_CASE("debug report: a write after free, told when the quarantine ends") {
    const Options options{.fill_freed = 0xDD, .quarantine_bytes = 1000};
    const std::string report = report_of(options, [](DebugAllocator& debug) {
        const Text text = allocates(debug.allocator(), 48);
        frees(debug.allocator(), text);
        std::memcpy(text.data() + 4, "late", 4);
        frees_again(debug.allocator(), allocates(debug.allocator(), 2000));
    });
    CHECK(report == R"(carbide: write after free in allocator 'parser': 48 bytes at ADDRESS
  It was overwritten after it had been freed, first 4 bytes behind its start.
  Found there: 6c 61 74 65  "late"
  noticed here:
    #0 frees_again(Allocator, Text)
  allocated:
    #0 allocates(Allocator, unsigned long)
  freed:
    #0 frees(Allocator, Text)
)");
}

TEST_CASE("debug report: a write after free, told by check_all") {
    const Options options{.fill_freed = 0xDD, .quarantine_bytes = 1000};
    const std::string report = report_of(options, [](DebugAllocator& debug) {
        const Text text = allocates(debug.allocator(), 48);
        frees(debug.allocator(), text);
        writes(text.data(), 'x');
        if (checks(debug) != 1) std::abort();
    });
    CHECK(report == R"(carbide: write after free in allocator 'parser': 48 bytes at ADDRESS
  It was overwritten after it had been freed, first at its start.
  Found there: 78  "x"
  noticed here:
    #0 checks(DebugAllocator&)
  allocated:
    #0 allocates(Allocator, unsigned long)
  freed:
    #0 frees(Allocator, Text)
)");
}

TEST_CASE("debug report: a single-owner allocator used by two threads") {
    const std::string report = report_of({.thread_safe = false}, [](DebugAllocator& debug) {
        frees(debug.allocator(), allocates(debug.allocator(), 48));
        std::thread([&] { frees(debug.allocator(), allocates(debug.allocator(), 48)); }).join();
    });
    CHECK(report == R"(carbide: use by a second thread in allocator 'parser'
  It belongs to thread T, and thread T used it.
  Construct it with 'thread_safe', or call detach_from_thread() to hand it over.
  here:
    #0 allocates(Allocator, unsigned long)
  first used by thread T:
    #0 allocates(Allocator, unsigned long)
)");
}

// Guard mode: the report, and then the fault takes its course.
void check_fault(Guard guard, const std::function<void(DebugAllocator&)>& body,
                 const std::string& expected) {
    const tests::ChildResult child = tests::run_in_child([&] {
        DebugAllocator debug(checked({.guard = guard}));
        body(debug);
    });
    CHECK(child.signal == SIGSEGV);
    CHECK(normalised(child.stderr_text) == expected);
}

TEST_CASE("debug report: guard mode, a read behind a block") {
    check_fault(
        Guard::behind,
        [](DebugAllocator& debug) { reads(allocates(debug.allocator(), 48).data() + 48); },
        R"(carbide: access out of bounds in allocator 'parser': 48 bytes at ADDRESS
  The program read ADDRESS, right behind its end.
  here:
    #0 reads(char const volatile*)
  allocated:
    #0 allocates(Allocator, unsigned long)
)");
}

TEST_CASE("debug report: guard mode, a write in front of a block") {
    check_fault(
        Guard::in_front,
        [](DebugAllocator& debug) { writes(allocates(debug.allocator(), 48).data() - 3, 'x'); },
        R"(carbide: access out of bounds in allocator 'parser': 48 bytes at ADDRESS
  The program wrote to ADDRESS, 3 bytes in front of it.
  here:
    #0 writes(char volatile*, char)
  allocated:
    #0 allocates(Allocator, unsigned long)
)");
}

TEST_CASE("debug report: guard mode, a use after free") {
    check_fault(
        Guard::behind,
        [](DebugAllocator& debug) {
            const Text text = allocates(debug.allocator(), 48);
            frees(debug.allocator(), text);
            reads(text.data() + 3);
        },
        R"(carbide: use after free in allocator 'parser': 48 bytes at ADDRESS
  The program read ADDRESS, 3 bytes behind its start, after it had been freed.
  here:
    #0 reads(char const volatile*)
  allocated:
    #0 allocates(Allocator, unsigned long)
  freed:
    #0 frees(Allocator, Text)
)");
}

TEST_CASE("debug report: guard mode leaves other faults to whom they belong") {
    check_fault(Guard::behind, [](DebugAllocator&) { std::raise(SIGSEGV); }, "");
}

TEST_CASE("debug report: a handle whose allocator is gone") {
    const tests::ChildResult child = tests::run_in_child([] {
        alignas(DebugAllocator) unsigned char place[sizeof(DebugAllocator)];
        auto* const debug = new (place) DebugAllocator(checked());
        const Allocator handle = debug->allocator();
        debug->~DebugAllocator();
        static_cast<void>(allocates(handle, 48));
    });
    CHECK(child.trapped());
    CHECK(normalised(child.stderr_text) ==
          R"(carbide: the allocator 'parser' was used after it was destroyed
    #0 allocates(Allocator, unsigned long)
)");
}

}  // namespace
}  // namespace carbide
