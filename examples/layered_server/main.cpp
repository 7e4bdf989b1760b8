// SPDX-License-Identifier: MIT
#include <array>
#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>

#include "carbide/c_allocator.hpp"
#include "carbide/statistics_allocator.hpp"
#include "layered_server/server.hpp"

int main() {
    const std::string too_large = "\n" + std::string(3000, 'x');
    const std::array<std::string_view, 4> requests{
        "host: example.org\naccept: text\n\nhello",
        "a: 1\nb: 2\nc: 3\nd: 4\ne: 5\nf: 6\n\nmany headers", too_large, "\nstill here"};

    carbide::StatisticsAllocator malloc_calls({.backing = carbide::c_allocator()});
    {
        examples::Server server(malloc_calls.allocator());
        for (const std::string_view request : requests) {
            const examples::Status status = server.serve(request, stdout);
            std::printf("  status %d\n", static_cast<int>(status));
        }

        const std::size_t warm_up_count = malloc_calls.statistics().alloc_count;
        std::FILE* const nowhere = std::fopen("/dev/null", "w");
        for (std::size_t round = 0; round < 1000 && nowhere != nullptr; ++round) {
            server.serve(requests[round % requests.size()], nowhere);
        }
        if (nowhere != nullptr) std::fclose(nowhere);
        std::printf("allocations from malloc: %zu to warm up, %zu for 1000 requests more\n",
                    warm_up_count, malloc_calls.statistics().alloc_count - warm_up_count);
    }
    std::printf("leaked: %zu\n", malloc_calls.live_count());
}
