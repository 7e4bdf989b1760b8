// SPDX-License-Identifier: MIT
#include "carbide/check.hpp"

#include <doctest/doctest.h>

#include <string>

#include "support/child_process.hpp"

using carbide::tests::run_in_child;

TEST_CASE("check: a condition that holds passes, and is evaluated once") {
    int evaluations = 0;
    CARBIDE_CHECK(++evaluations == 1, "unreachable");
    CHECK(evaluations == 1);
}

TEST_CASE("check: a condition that fails prints one line with its place, and traps") {
    const int line = __LINE__ + 1;
    const auto result = run_in_child([] { CARBIDE_CHECK(1 > 2, "one is not more than two"); });
    CHECK(result.trapped());
    CHECK(result.stderr_text == std::string("carbide: one is not more than two (") + __FILE__ +
                                    ":" + std::to_string(line) + ")\n");
}

TEST_CASE("check: stands in an if without braces") {
    bool reached_else = false;
    if (carbide::checked_build && !carbide::checked_build)
        CARBIDE_CHECK(true, "unreachable");
    else
        reached_else = true;
    CHECK(reached_else);
}

TEST_CASE("check: an assertion stops a checked build, and any other does not evaluate it") {
    const auto result = run_in_child([] { CARBIDE_ASSERT(1 + 1 == 3); });
#if CARBIDE_CHECKED
    CHECK(result.trapped());
    CHECK(result.wrote("carbide: broken invariant: 1 + 1 == 3 ("));
#else
    CHECK(result.signal == 0);
    CHECK(result.stderr_text.empty());
    int evaluations = 0;
    CARBIDE_ASSERT(++evaluations == 1);
    CHECK(evaluations == 0);
#endif
}

TEST_CASE("check: a build is checked just where NDEBUG is absent or CARBIDE_CHECKED is set") {
#ifdef NDEBUG
    CHECK_FALSE(carbide::checked_build);
#else
    CHECK(carbide::checked_build);
#endif
}
