// SPDX-License-Identifier: MIT
#include "platform/stack.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "support/child_process.hpp"

namespace carbide::platform {
namespace {

[[gnu::noinline]] void write_from_depth(int depth) {
    if (depth == 0) {
        write_stack_trace(STDERR_FILENO);
    } else {
        write_from_depth(depth - 1);
    }
    asm volatile("");  // No tail call, which would leave no frame.
}

std::ptrdiff_t line_count(int depth) {
    const tests::ChildResult child = tests::run_in_child([&] { write_from_depth(depth); });
    return std::count(child.stderr_text.begin(), child.stderr_text.end(), '\n');
}

TEST_CASE("stack: a trace has a line for every caller, with module and offset") {
    const tests::ChildResult child = tests::run_in_child([] { write_from_depth(0); });
    CHECK(child.wrote("(+0x"));
    CHECK(line_count(5) == line_count(0) + 5);
}

TEST_CASE("stack: a trace of deep recursion is cut") {
    CHECK(line_count(1000) > 20);
    CHECK(line_count(1000) <= 32);
}

}  // namespace
}  // namespace carbide::platform
