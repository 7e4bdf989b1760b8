// SPDX-License-Identifier: MIT
#include <cstdio>
#include <utility>

#include "carbide/c_allocator.hpp"
#include "carbide/defer.hpp"
#include "carbide/statistics_allocator.hpp"
#include "carbide/try.hpp"
#include "ownership/ownership.hpp"

namespace {

void print(const char* title, std::string_view text, std::size_t live_count) {
    std::printf("%-12s \"%.*s\", %zu allocation alive\n", title, static_cast<int>(text.size()),
                text.data(), live_count);
}

carbide::Result<void> by_annotation(carbide::StatisticsAllocator& statistics) {
    examples::Text text{.allocator = statistics.allocator()};
    const auto end_text = carbide::defer([&] { text.deinit(); });
    text.take_ownership(CARBIDE_TRY(examples::duplicate(statistics.allocator(), "first")));
    text.take_ownership(CARBIDE_TRY(examples::duplicate(statistics.allocator(), "second")));
    print("annotations:", text.view(), statistics.live_count());
    return {};
}

carbide::Result<void> by_type(carbide::StatisticsAllocator& statistics) {
    examples::OwnedText text(
        CARBIDE_TRY(examples::duplicate_owned(statistics.allocator(), "first")));
    text.take(CARBIDE_TRY(examples::duplicate_owned(statistics.allocator(), "second")));
    print("types:", text.view(), statistics.live_count());
    return {};
}

}  // namespace

int main() {
    carbide::StatisticsAllocator statistics({.backing = carbide::c_allocator()});
    if (!by_annotation(statistics) || !by_type(statistics)) {
        std::puts("out of memory");
        return 1;
    }
    std::printf("%-12s %zu allocations alive\n", "at the end:", statistics.live_count());
}
