// SPDX-License-Identifier: MIT
#include <cstdio>
#include <string>
#include <string_view>

#include "carbide/c_allocator.hpp"
#include "carbide/statistics_allocator.hpp"
#include "scratch/sorted_words.hpp"

namespace {

void sort_and_print(const char* title, std::string_view text) {
    carbide::StatisticsAllocator statistics({.backing = carbide::c_allocator()});
    const auto sorted = examples::sorted_words(statistics.allocator(), text);
    if (!sorted) return;
    const std::string_view beginning(sorted->data(), std::min<std::size_t>(sorted->size(), 14));
    std::printf("%s: \"%.*s\", allocations from malloc: %zu\n", title,
                static_cast<int>(beginning.size()), beginning.data(),
                statistics.statistics().alloc_count);
    statistics.free(*sorted);
}

}  // namespace

int main() {
    sort_and_print("short", "pear apple fig");
    std::string long_text;
    for (int count = 0; count < 1000; ++count) long_text += "pear apple fig ";
    sort_and_print("long", long_text);
}
