// SPDX-License-Identifier: MIT
#include "leak_report/leak_report.hpp"

#include <cstddef>

#include "carbide/owned_slice.hpp"
#include "carbide/statistics_allocator.hpp"
#include "carbide/try.hpp"

namespace examples {

carbide::Result<void> run_program(carbide::Allocator allocator, Mistake mistake) {
    const auto text = CARBIDE_TRY(carbide::dupe_owned(allocator, "freed by its owner"));
    if (mistake == Mistake::none) return {};
    for (std::size_t size_bytes = 10; size_bytes <= 30; size_bytes += 10) {
        CARBIDE_TRY(allocator.alloc<char>(size_bytes));  // Nobody will ever free this.
    }
    return {};
}

// [snippet:leak_report]
int run_and_report_leaks(carbide::Allocator backing, Mistake mistake, std::FILE* report) {
    carbide::StatisticsAllocator statistics({.backing = backing});
    const bool done = run_program(statistics.allocator(), mistake).has_value();
    if (!done) std::fputs("out of memory\n", report);

    const carbide::Statistics at_exit = statistics.statistics();
    if (at_exit.live_count() == 0) {
        std::fprintf(report, "no leaks: %zu allocations, all freed\n", at_exit.alloc_count);
        return done ? 0 : 1;
    }
    std::fprintf(report, "leaked: %zu of %zu allocations, %zu bytes\n", at_exit.live_count(),
                 at_exit.alloc_count, at_exit.current_bytes);
    return 1;
}
// [/snippet:leak_report]

}  // namespace examples
