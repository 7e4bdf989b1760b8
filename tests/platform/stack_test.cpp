// SPDX-License-Identifier: MIT
#include "platform/stack.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <ostream>
#include <regex>
#include <string>

#include "support/child_process.hpp"

// Not in platform, whose functions are left out.
namespace carbide {
namespace {

[[gnu::noinline]] void write_from_depth(int depth) {
    if (depth == 0) {
        platform::write_stack_trace(STDERR_FILENO);
    } else {
        write_from_depth(depth - 1);
    }
    asm volatile("");  // No tail call, which would leave no frame.
}

std::string written_from_depth(int depth) {
    return tests::run_in_child([&] { write_from_depth(depth); }).stderr_text;
}

std::ptrdiff_t line_count(int depth) {
    const std::string text = written_from_depth(depth);
    return std::count(text.begin(), text.end(), '\n');
}

TEST_CASE("stack: a trace has a numbered line for every caller, with name or offset") {
    const std::string text = written_from_depth(0);
    const std::regex lines("(    #[0-9]+ [^\n]*(\\+0x[0-9a-f]+|:[0-9]+( \\(inlined\\))?)\n)+");
    INFO(text);
    CHECK(std::regex_match(text, lines));
    CHECK(text.starts_with("    #0 "));
    CHECK(line_count(5) == line_count(0) + 5);
}

TEST_CASE("stack: a trace starts with the caller, not with what writes it") {
    const std::string text = written_from_depth(0);
    CHECK_FALSE(text.contains("write_stack_trace"));
}

TEST_CASE("stack: a trace of deep recursion is cut") {
    CHECK(line_count(1000) > 20);
    CHECK(line_count(1000) <= 65);
}

TEST_CASE("stack: without names there are still module and offset") {
    platform::ReportText text;
    platform::write_trace(text, StackTrace::capture(4), platform::Names::none);
    CHECK(std::regex_match(std::string(text.view()),
                           std::regex("(    #[0-9] [^ ]+\\+0x[0-9a-f]+\n){4}")));
}

TEST_CASE("stack: a trace that writes itself writes the same lines") {
    const StackTrace trace = StackTrace::capture(3);
    platform::ReportText text;
    platform::write_trace(text, trace);
    const auto child = tests::run_in_child([&] { trace.write_to(STDERR_FILENO); });
    CHECK(child.stderr_text == text.view());
    CHECK_FALSE(text.view().empty());
    CHECK(tests::run_in_child([] { StackTrace().write_to(STDERR_FILENO); }).stderr_text == "");
}

}  // namespace
}  // namespace carbide
