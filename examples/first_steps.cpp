// SPDX-License-Identifier: MIT
// The README's first example: one function, injected with an arena, a budget, and a failure.
#include <cstdio>
#include <string_view>

#include "carbide/arena_allocator.hpp"
#include "carbide/failing_allocator.hpp"
#include "carbide/owned_slice.hpp"
#include "carbide/page_allocator.hpp"
#include "carbide/statistics_allocator.hpp"
#include "carbide/try.hpp"

// [snippet:function]
struct Person {
    carbide::OwnedSlice<char> name;
    carbide::OwnedSlice<char> town;
};

// Every function that allocates takes an allocator, and says that it may fail.
carbide::Result<Person> make_person(carbide::Allocator allocator, std::string_view name,
                                    std::string_view town) {
    auto own_name = CARBIDE_TRY(carbide::dupe_owned(allocator, name));
    auto own_town = CARBIDE_TRY(carbide::dupe_owned(allocator, town));
    return Person{std::move(own_name), std::move(own_town)};
}
// [/snippet:function]

int main() {
    // [snippet:use]
    // In production: an arena over pages. An allocation is a compare, an add and a store.
    carbide::ArenaAllocator arena({.backing = carbide::page_allocator()});
    const auto ada = make_person(arena.allocator(), "Ada", "London");

    // In a test: the second allocation fails, and nothing may be left behind.
    carbide::StatisticsAllocator counted({.backing = arena.allocator()});
    carbide::FailingAllocator failing({.backing = counted.allocator(), .alloc_index = 1});
    const auto nobody = make_person(failing.allocator(), "Nobody", "Nowhere");
    // [/snippet:use]
    if (!ada.has_value()) return 1;
    std::printf("%.*s: created; nobody: %s, %zu allocations left\n", 3, ada->name.data(),
                nobody.has_value() ? "created" : "failed", counted.live_count());
    return nobody.has_value() || counted.live_count() != 0 ? 1 : 0;
}
