// SPDX-License-Identifier: MIT
#include "platform/symbols.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <functional>
#include <ostream>
#include <string>
#include <thread>
#include <vector>

#include "platform/function_name.hpp"
#include "platform/libbacktrace.hpp"
#include "platform/stack.hpp"
#include "support/child_process.hpp"

// As the library's own functions are called, between a program and an allocator.
namespace carbide::detail {
namespace {

[[gnu::noinline]] StackTrace capture_in_plumbing(unsigned frame_count) {
    const StackTrace trace = StackTrace::capture(frame_count);
    asm volatile("nop");  // No tail call; and g++ merges functions that are the same.
    return trace;
}

}  // namespace
}  // namespace carbide::detail

namespace carbide {
namespace {

StackTrace capture_here(unsigned frame_count);

}  // namespace

namespace detail {
namespace {

[[gnu::noinline]] StackTrace call_in_plumbing() {
    const StackTrace trace = capture_here(StackTrace::frame_count_max);
    asm volatile("nop");
    return trace;
}

}  // namespace
}  // namespace detail

namespace {

using platform::for_each_frame;
using platform::Names;
using platform::SourceFrame;

struct Frame {
    std::string function;
    std::string file;
    unsigned line;
    bool inlined;
    std::string module;
    std::uintptr_t offset;
};

std::vector<Frame> frames_of(StackTrace trace, Names names = Names::all) {
    std::vector<Frame> frames;
    for_each_frame(
        trace,
        [&](const SourceFrame& frame) {
            frames.push_back({std::string(frame.function), std::string(frame.file), frame.line,
                              frame.inlined, std::string(frame.module), frame.offset});
        },
        names);
    return frames;
}

constexpr int capture_line = __LINE__ + 2;
[[gnu::noinline]] StackTrace capture_here(unsigned frame_count) {
    const StackTrace trace = StackTrace::capture(frame_count);
    asm volatile("");  // No tail call, which would leave no frame.
    return trace;
}

constexpr int inlined_line = __LINE__ + 2;
[[gnu::always_inline]] inline StackTrace capture_inlined() {
    return capture_here(StackTrace::frame_count_max);
}

constexpr int outer_line = __LINE__ + 2;
[[gnu::noinline]] StackTrace capture_outside() {
    const StackTrace trace = capture_inlined();
    asm volatile("");
    return trace;
}

bool has_lines() { return platform::libbacktrace::is_linked_in(); }

TEST_CASE("symbols: functions have names, files and lines, and inlined ones are marked") {
    const std::vector<Frame> frames = frames_of(capture_outside());
    if (!has_lines()) return;
    REQUIRE(frames.size() > 3);
    CHECK(frames[0].function == "carbide::(anonymous namespace)::capture_here(unsigned int)");
    CHECK(frames[0].file.ends_with("symbols_test.cpp"));
    CHECK(frames[0].line == capture_line);
    CHECK_FALSE(frames[0].inlined);
    CHECK(frames[1].function.contains("capture_inlined"));
    CHECK(frames[1].line == inlined_line);
    CHECK(frames[1].inlined);
    CHECK(frames[2].function.contains("capture_outside"));
    CHECK(frames[2].line == outer_line);
    CHECK_FALSE(frames[2].inlined);
    CHECK(frames[1].offset == frames[2].offset);
}

TEST_CASE("symbols: nothing is told of what lies below main or a thread's function") {
    if (!has_lines()) return;
    CHECK(frames_of(capture_outside()).back().function == "main");
    StackTrace trace;
    std::thread([&] { trace = capture_outside(); }).join();
    // The C library may or may not have debug information of its own.
    for (const Names names : {Names::all, Names::dynamic}) {
        for (const StackTrace each : {trace, capture_outside()}) {
            const std::vector<Frame> frames = frames_of(each, names);
            CHECK(frames.size() > 1);
            for (const Frame& frame : frames) {
                CAPTURE(frame.module);
                CHECK_FALSE(frame.module.contains("libc.so"));
            }
        }
    }
}

TEST_CASE("symbols: Carbide's own functions are left out, unless nothing else is there") {
    const StackTrace two = detail::capture_in_plumbing(2);
    const StackTrace one = detail::capture_in_plumbing(1);
    CHECK(frames_of(two, Names::none).size() == 2);
    REQUIRE(frames_of(one).size() == 1);
    if (!has_lines()) return;
    REQUIRE(frames_of(two).size() >= 1);
    CHECK_FALSE(frames_of(two)[0].function.contains("capture_in_plumbing"));
    CHECK(frames_of(one)[0].function ==
          "carbide::detail::(anonymous namespace)::capture_in_plumbing(unsigned int)");
}

TEST_CASE(
    "symbols: what stands between a thread or a function object and its callable is left out") {
    StackTrace trace;
    const std::function<void()> function = [&] { trace = capture_outside(); };
    std::thread([&] { function(); }).join();
    for (const Frame& frame : frames_of(trace)) {
        CAPTURE(frame.function);
        CHECK_FALSE(frame.file.contains("/bits/"));
    }
}

TEST_CASE("symbols: plumbing is left out in the middle of a stack as well") {
    if (!has_lines()) return;
    const StackTrace trace = detail::call_in_plumbing();
    const std::vector<Frame> frames = frames_of(trace);
    REQUIRE(frames.size() > 1);
    CHECK(frames[0].function.contains("capture_here"));
    for (const Frame& frame : frames) CHECK_FALSE(frame.function.contains("call_in_plumbing"));
}

TEST_CASE("symbols: an empty trace has no frames") { CHECK(frames_of(StackTrace()).empty()); }

TEST_CASE("symbols: without names there are module and offset, the same as with names") {
    const StackTrace trace = capture_outside();
    const std::vector<Frame> plain = frames_of(trace, Names::none);
    CHECK(plain.size() == trace.frame_count());
    for (const Frame& frame : plain) {
        CHECK(frame.function.empty());
        CHECK_FALSE(frame.inlined);
        CHECK_FALSE(frame.module.empty());
    }
    const std::vector<Frame> named = frames_of(trace);
    CHECK(named[0].module == plain[0].module);
    CHECK(named[0].offset == plain[0].offset);
}

TEST_CASE("symbols: the visit ends where it returns false, and errno stays as it was") {
    unsigned count = 0;
    errno = EDOM;
    for_each_frame(capture_outside(), [&](const SourceFrame&) { return ++count < 2; });
    CHECK(errno == EDOM);
    CHECK(count == 2);
}

TEST_CASE("symbols: paths below the current directory are relative to it") {
    if (!has_lines()) return;
    const StackTrace trace = capture_here(1);
    const auto child = tests::run_in_child([&] {
        const bool is_entered = chdir(CARBIDE_TEST_SOURCE_DIR "/tests") == 0;
        trace.write_to(is_entered ? STDERR_FILENO : -1);
        if (chdir("/") == 0) trace.write_to(STDERR_FILENO);
    });
    const std::string function =
        "    #0 carbide::(anonymous namespace)::capture_here(unsigned int)";
    const std::string place = "platform/symbols_test.cpp:" + std::to_string(capture_line) + "\n";
    CHECK(child.stderr_text == function + " at " + place + function + " at " +
                                   CARBIDE_TEST_SOURCE_DIR "/tests/" + place);
}

TEST_CASE("symbols: a stack that is printed while one is printed has no names, and no deadlock") {
    const StackTrace trace = capture_here(1);
    std::vector<Frame> inner;
    unsigned outer_count = 0;
    for_each_frame(trace, [&](const SourceFrame&) {
        ++outer_count;
        inner = frames_of(trace);
    });
    CHECK(outer_count == 1);
    REQUIRE(inner.size() == 1);
    CHECK(inner[0].function.empty());
    CHECK(inner[0].offset == frames_of(trace)[0].offset);
    if (has_lines()) CHECK_FALSE(frames_of(trace)[0].function.empty());
}

TEST_CASE("symbols: threads that print at the same time all get names") {
    const StackTrace trace = capture_outside();
    const std::vector<Frame> expected = frames_of(trace);
    std::atomic<unsigned> wrong_count = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            for (int round = 0; round < 20; ++round) {
                const std::vector<Frame> frames = frames_of(trace);
                if (frames.size() != expected.size() || frames[0].function != expected[0].function)
                    ++wrong_count;
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(wrong_count == 0);
}

TEST_CASE("symbols: the child of a fork in the middle of printing gets names") {
    const StackTrace trace = capture_here(1);
    std::atomic<bool> is_inside = false;
    std::atomic<bool> may_leave = false;
    std::thread printing([&] {
        for_each_frame(trace, [&](const SourceFrame&) {
            is_inside = true;
            while (!may_leave) std::this_thread::yield();
        });
    });
    while (!is_inside) std::this_thread::yield();
    const auto child = tests::run_in_child([&] {
        trace.write_to(STDERR_FILENO);
        trace.write_to(STDERR_FILENO);
    });
    may_leave = true;
    printing.join();
    CHECK(child.signal == 0);
    platform::ReportText expected;
    platform::write_trace(expected, trace);
    platform::write_trace(expected, trace);
    CHECK(child.stderr_text == expected.view());
}

std::string readable(std::string demangled) {
    return std::string(platform::readable_name(demangled.data()));
}

TEST_CASE("symbols: a name is written as people write it") {
    CHECK(readable("main") == "main");
    CHECK(readable("f(int) [clone .isra.0]") == "f(int)");
    CHECK(readable("parse(std::basic_string_view<char, std::char_traits<char> >)") ==
          "parse(std::string_view)");
    CHECK(readable("f(std::__cxx11::basic_string<char, std::char_traits<char>, "
                   "std::allocator<char> > const&)") == "f(std::string const&)");
    CHECK(readable("f(std::__cxx11::list<A<B<C<int> > > >)") == "f(std::list<A<B<C<int>>>>)");
}

TEST_CASE("symbols: the return type that templates are demangled with is left out") {
    CHECK(readable("void f<int>(int)") == "f<int>(int)");
    CHECK(readable("A<int, B<char> > n::C<int>::f<B<char> >(A<x>)") ==
          "n::C<int>::f<B<char>>(A<x>)");
    CHECK(readable("unsigned long f<int>()") == "f<int>()");
    CHECK(readable("(anonymous namespace)::f(int)") == "(anonymous namespace)::f(int)");
    CHECK(readable("int (anonymous namespace)::f<int>(int)") ==
          "(anonymous namespace)::f<int>(int)");
    CHECK(readable("A<(B)1> f<(B)1>(int)") == "f<(B)1>(int)");
    CHECK(readable("decltype (x) f<int>(int)") == "f<int>(int)");
    CHECK(readable("A::operator bool() const") == "A::operator bool() const");
    CHECK(readable("A::operator()(int) const") == "A::operator()(int) const");
    CHECK(readable("bool A::operator< <int>(int)") == "A::operator< <int>(int)");
    CHECK(readable("operator new(unsigned long)") == "operator new(unsigned long)");
    CHECK(readable("f()::{lambda(int)#1}::operator()(int) const") ==
          "f()::{lambda(int)#1}::operator()(int) const");
    CHECK(readable("void (*f<int>())(int)") == "(*f<int>())(int)");
}

TEST_CASE("symbols: plumbing is what stands between a caller and an allocator's core") {
    for (const char* const name :
         {"carbide::detail::must_failed(carbide::Heap const&)", "carbide::platform::map_pages()",
          "carbide::RawOperations<carbide::Allocator>::alloc(unsigned long)",
          "carbide::Operations<carbide::Allocator>::create<int>()",
          "carbide::HeapOperations<carbide::DebugAllocator>::free(void*)",
          "carbide::DebugAllocator::slow_alloc(carbide::Heap&, unsigned long)",
          "carbide::PoolAllocator<Node>::slow_free(carbide::Heap&)",
          "carbide::Allocator::slow_alloc(unsigned long)"}) {
        CHECK_MESSAGE(platform::is_plumbing(name), name);
    }
    for (const char* const name :
         {"", "main", "detail::f()", "app::carbide::detail::f()",
          "carbide::ArenaAllocator::reset()", "carbide::Owned<Node>::~Owned()",
          "MyAllocator::slow_alloc()", "carbide::Tree::slow_insert(carbide::DebugAllocator&)"}) {
        CHECK_MESSAGE(!platform::is_plumbing(name), name);
    }
}

}  // namespace
}  // namespace carbide
