// SPDX-License-Identifier: MIT
#include "carbide/stack_trace.hpp"

#include <doctest/doctest.h>

#include "support/stack_oracle.hpp"

using namespace carbide;

namespace {

[[gnu::noinline]] StackTrace capture_here(unsigned frame_count) {
    const StackTrace trace = StackTrace::capture(frame_count);
    asm volatile("" : : : "memory");
    return trace;
}

[[gnu::noinline]] StackTrace capture_here_by_default() {
    const StackTrace trace = StackTrace::capture();
    asm volatile("" : : : "memory");
    return trace;
}

[[gnu::noinline]] StackTrace capture_deeper(unsigned depth) {
    StackTrace trace = depth == 0 ? capture_here_by_default() : capture_deeper(depth - 1);
    asm volatile("" : "+m"(trace));
    return trace;
}

}  // namespace

TEST_CASE("stack trace: begins in the function that captures it") {
    const StackTrace trace = capture_here(64);
    const auto function = reinterpret_cast<std::uintptr_t>(&capture_here);
    REQUIRE(trace.frame_count() >= 2);
    CHECK(trace.return_address(0) - function < 256);
    CHECK(trace.return_address(1) - function >= 256);
}

TEST_CASE("stack trace: has at most as many frames as were asked for") {
    for (const unsigned frame_count : {0U, 1U, 2U, 3U, 16U, 64U, 65U, 1U << 31, ~0U}) {
        const std::size_t most = frame_count < 64 ? frame_count : 64;
        CHECK(capture_here(frame_count).frame_count() <= most);
    }
    CHECK(capture_here(2).frame_count() == 2);
    CHECK(capture_deeper(100).frame_count() == 16);
}

TEST_CASE("stack trace: one call path has one value, another path another") {
    StackTrace repeated[3];
    tests::repeat(3, [&](unsigned i) { repeated[i] = capture_here(16); });
    CHECK(repeated[0] == repeated[1]);
    CHECK(repeated[0] == repeated[2]);
    CHECK(repeated[0] != capture_here(16));  // Another line.
}

TEST_CASE("stack trace: no frames are the empty trace") {
    CHECK(StackTrace().is_empty());
    CHECK(StackTrace().frame_count() == 0);
    CHECK(StackTrace() == capture_here(0));
    CHECK_FALSE(capture_here(1).is_empty());
}

TEST_CASE("stack trace: comes back from its id") {
    const StackTrace trace = capture_here(16);
    CHECK(StackTrace::from_id(trace.id()) == trace);
    CHECK(StackTrace::from_id(0).is_empty());
}
