// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <ostream>

#include "carbide/c_allocator.hpp"
#include "carbide/failing_allocator.hpp"
#include "carbide/statistics_allocator.hpp"
#include "failing/mesh.hpp"

using examples::Mesh;

// [snippet:third]
TEST_CASE("example failing: a mesh whose third allocation fails is out of memory") {
    carbide::FailingAllocator failing({.backing = carbide::c_allocator(), .alloc_index = 2});
    const auto mesh = Mesh::init(failing.allocator(), "cube");
    CHECK(mesh.error() == carbide::OutOfMemory{});
    CHECK(failing.freed_bytes() == failing.allocated_bytes());
}
// [/snippet:third]

// [snippet:each]
TEST_CASE("example failing: a mesh survives the failure of each of its allocations") {
    carbide::StatisticsAllocator statistics({.backing = carbide::c_allocator()});
    carbide::FailingAllocator failing({.backing = statistics.allocator()});
    std::size_t index = 0;
    for (bool failed = true; failed; ++index) {
        failing.rearm({.alloc_index = index});
        const bool made = Mesh::init(failing.allocator(), "cube").has_value();
        failed = failing.has_induced_failure();
        CHECK(made == !failed);
        CHECK(statistics.live_count() == 0);
    }
    CHECK(index == 4);  // Three allocations, and the run in which none failed.
}
// [/snippet:each]
