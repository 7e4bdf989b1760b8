// SPDX-License-Identifier: MIT
#include "leak_report/leak_report.hpp"

#include <doctest/doctest.h>

#include <array>
#include <ostream>
#include <string_view>

#include "carbide/arena_allocator.hpp"
#include "carbide/c_allocator.hpp"
#include "carbide/null_allocator.hpp"

namespace {

struct Outcome {
    int exit_status;
    std::array<char, 256> text{};
};

Outcome run(examples::Mistake mistake) {
    // An arena, so that what leaks on purpose does not leak from the tests.
    carbide::ArenaAllocator arena({.backing = carbide::c_allocator()});
    Outcome outcome{};
    std::FILE* const report = fmemopen(outcome.text.data(), outcome.text.size(), "w");
    REQUIRE(report != nullptr);
    outcome.exit_status = examples::run_and_report_leaks(arena.allocator(), mistake, report);
    std::fclose(report);
    return outcome;
}

}  // namespace

TEST_CASE("example leak_report: a program that frees everything ends with 0") {
    const Outcome outcome = run(examples::Mistake::none);
    CHECK(outcome.exit_status == 0);
    CHECK(std::string_view(outcome.text.data()) == "no leaks: 1 allocations, all freed\n");
}

TEST_CASE("example leak_report: a leak is reported with count and bytes, and ends with 1") {
    const Outcome outcome = run(examples::Mistake::leak);
    CHECK(outcome.exit_status == 1);
    CHECK(std::string_view(outcome.text.data()) == "leaked: 3 of 4 allocations, 60 bytes\n");
}

TEST_CASE("example leak_report: a program without memory says so, and ends with 1") {
    std::array<char, 256> text{};
    std::FILE* const report = fmemopen(text.data(), text.size(), "w");
    REQUIRE(report != nullptr);
    CHECK(examples::run_and_report_leaks(carbide::null_allocator(), examples::Mistake::none,
                                         report) == 1);
    std::fclose(report);
    CHECK(std::string_view(text.data()) == "out of memory\nno leaks: 0 allocations, all freed\n");
}
