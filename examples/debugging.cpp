// SPDX-License-Identifier: MIT
// What docs/debugging.md shows: a program on the debug allocator, and a function under the sweep.
#include <cstdio>
#include <string>
#include <string_view>

#include "carbide/debug_allocator.hpp"
#include "carbide/owned_slice.hpp"
#include "carbide/testing/allocation_failures.hpp"
#include "carbide/try.hpp"

namespace {

struct Person {
    std::span<char> name;
    std::span<char> town;
};

// [snippet:mistake]
// The name leaks where there is no memory for the town.
carbide::Result<Person> make_person(carbide::Allocator allocator, std::string_view name,
                                    std::string_view town) {
    const std::span<char> own_name = CARBIDE_TRY(allocator.dupe(name));
    const std::span<char> own_town = CARBIDE_TRY(allocator.dupe(town));
    return Person{own_name, own_town};
}
// [/snippet:mistake]

void destroy_person(carbide::Allocator allocator, const Person& person) {
    allocator.free(person.town);
    allocator.free(person.name);
}

// [snippet:program]
bool run_program() {
    carbide::DebugAllocator debug({.name = "people"});
    const carbide::Allocator allocator = debug.allocator();

    const auto ada = make_person(allocator, "Ada", "London");
    if (ada.has_value()) destroy_person(allocator, *ada);

    return debug.deinit();  // Reports what is left, and returns whether anything is.
}
// [/snippet:program]

// [snippet:sweep]
carbide::testing::SweepReport sweep_make_person() {
    return carbide::testing::check_all_allocation_failures(
        [](carbide::Allocator allocator) -> carbide::Result<void> {
            const Person ada = CARBIDE_TRY(make_person(allocator, "Ada", "London"));
            destroy_person(allocator, ada);
            return {};
        });
}
// [/snippet:sweep]

}  // namespace

int main() {
    std::printf("the program %s\n", run_program() ? "leaked" : "is clean");
    const auto report = sweep_make_person();
    std::printf("the sweep says: %s\n", std::string(name_of(report.verdict())).c_str());
    std::fputs(report.message().c_str(), stderr);
    return report.verdict() == carbide::testing::Verdict::leaked ? 0 : 1;
}
