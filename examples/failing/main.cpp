// SPDX-License-Identifier: MIT
#include <cstddef>
#include <cstdio>

#include "carbide/c_allocator.hpp"
#include "carbide/failing_allocator.hpp"
#include "carbide/statistics_allocator.hpp"
#include "failing/mesh.hpp"

// Fails each allocation of Mesh::init in turn, until a run needs none that is left to fail.
int main() {
    carbide::StatisticsAllocator statistics({.backing = carbide::c_allocator()});
    carbide::FailingAllocator failing({.backing = statistics.allocator()});
    for (std::size_t index = 0;; ++index) {
        failing.rearm({.alloc_index = index});
        const auto mesh = examples::Mesh::init(failing.allocator(), "cube");
        if (!failing.has_induced_failure()) break;
        std::printf("allocation %zu fails: %s, %zu bytes leaked\n", index,
                    mesh ? "not noticed" : mesh.error().message(),
                    statistics.statistics().current_bytes);
    }
    std::printf("none fails: done after %zu allocations, %zu bytes leaked\n", failing.alloc_count(),
                statistics.statistics().current_bytes);
}
