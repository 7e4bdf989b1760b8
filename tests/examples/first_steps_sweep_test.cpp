// SPDX-License-Identifier: MIT
// Out of memory at every request of the README's first example, which is one file with a main.
#include <doctest/doctest.h>

#include <cstdio>
#include <string_view>

#include "carbide/arena_allocator.hpp"
#include "carbide/failing_allocator.hpp"
#include "carbide/owned_slice.hpp"
#include "carbide/page_allocator.hpp"
#include "carbide/statistics_allocator.hpp"
#include "carbide/testing/allocation_failures.hpp"
#include "carbide/try.hpp"
#include "support/sweep_passes.hpp"

namespace first_steps {
#include "first_steps.cpp"  // Its own includes are above, so that they stay outside.
}  // namespace first_steps

TEST_CASE("sweep of first_steps: a person without a town leaves no name behind") {
    CHECK(carbide::tests::passes(carbide::testing::check_all_allocation_failures(
        first_steps::make_person, "Ada", "London")));
}
