// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "carbide/stack_trace.hpp"
#include "platform/stack_point.hpp"
#include "platform/traces.hpp"
#include "support/stack_oracle.hpp"

// Call stacks to be captured, by functions that no compiler takes out of them.
namespace carbide::tests {

template <typename T>
void keep(T& value) {
    asm volatile("" : : "r"(&value) : "memory");
}

// Compilers merge calls that are alike; between different instructions they cannot.
#define CARBIDE_TEST_OWN_CALL(instructions, call) \
    asm volatile(instructions);                   \
    call;                                         \
    asm volatile(instructions)

// A trace, and where it begins.
struct Seen {
    StackTrace trace;
    platform::StackPoint from;
};

[[gnu::noinline]] inline Seen see(unsigned frame_count_max) {
    Seen seen{};
    seen.from = platform::caller_point();
    seen.trace = platform::capture_trace(seen.from, frame_count_max);
    keep(seen);
    return seen;
}

// Of `depth` calls, each in one of two places: by the bits of `path`.
[[gnu::noinline]] inline StackTrace capture_path(unsigned path, unsigned depth) {
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

inline void capture_all_paths(std::vector<StackTrace>& traces) {
    repeat(256, [&](unsigned path) { traces.push_back(capture_path(path, 8)); });
}

}  // namespace carbide::tests
