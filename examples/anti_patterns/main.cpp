// SPDX-License-Identifier: MIT
#include <cstddef>
#include <cstdio>

#include "anti_patterns/forgotten_errdefer.hpp"
#include "anti_patterns/hidden_allocation.hpp"
#include "carbide/arena_allocator.hpp"
#include "carbide/c_allocator.hpp"
#include "carbide/failing_allocator.hpp"
#include "carbide/null_allocator.hpp"
#include "carbide/statistics_allocator.hpp"

namespace {

// What a function leaks where its second allocation fails. The arena cleans up behind it.
template <class Init>
std::size_t leaked_count(Init init) {
    carbide::ArenaAllocator arena({.backing = carbide::c_allocator()});
    carbide::StatisticsAllocator statistics({.backing = arena.allocator()});
    carbide::FailingAllocator failing({.backing = statistics.allocator(), .alloc_index = 1});
    static_cast<void>(init(failing.allocator()));
    return statistics.live_count();
}

}  // namespace

int main() {
    const auto print_start = [](const char* function, bool success) {
        std::printf("%-12s without memory: %s\n", function,
                    success ? "succeeds, so it has memory of its own" : "out of memory");
    };
    print_start("start_hidden", examples::start_hidden(carbide::null_allocator()).has_value());
    print_start("start", examples::start(carbide::null_allocator()).has_value());

    const auto print_leak = [](const char* function, std::size_t count) {
        std::printf("%-12s when the second allocation fails: %zu leaked\n", function, count);
    };
    print_leak("init_leaking", leaked_count(examples::init_leaking));
    print_leak("init", leaked_count(examples::init));
    print_leak("OwnedPair", leaked_count(examples::OwnedPair::create));
}
