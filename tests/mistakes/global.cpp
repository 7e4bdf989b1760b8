// SPDX-License-Identifier: MIT
// Functions that are given an allocator, and use the global one as well.
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <string>

#include "mistakes/tools.hpp"

namespace carbide::tests {
namespace {

using enum FindingKind;

// A node is made with new, because it always was.
namespace made_with_new {

void mistake(Allocator) { delete opaque(new int(7)); }
void correct(Allocator allocator) { allocator.destroy(allocator.must_create<int>(7)); }

CARBIDE_MISTAKE_PAIR("an object made with new is a global allocation",
                     watched_for_global_allocation, global_allocation)

}  // namespace made_with_new

// A temporary string is the key of a lookup.
namespace temporary_string {

// Clang would otherwise see that nobody needs the string on the heap.
std::size_t length_of(const std::string& key) { return opaque(&key)->size(); }

void mistake(Allocator) {
    look_at(length_of("a key that is too long for the string's own buffer"));
}

void correct(Allocator allocator) {
    const auto key = copy_of(allocator, "a key that is too long for the string's own buffer");
    look_at(key.size());
    allocator.free(key);
}

CARBIDE_MISTAKE_PAIR("a temporary string is a global allocation", watched_for_global_allocation,
                     global_allocation)

}  // namespace temporary_string

// A function of the C library allocates for its caller.
namespace allocated_by_the_library {

void mistake(Allocator) { std::free(opaque(strdup(opaque("name")))); }

void correct(Allocator allocator) {
    const auto name = allocator.dupe_z("name");
    if (name.has_value()) allocator.free(*name);
}

CARBIDE_MISTAKE_PAIR("a copy made by strdup is a global allocation", watched_for_global_allocation,
                     global_allocation)

}  // namespace allocated_by_the_library

}  // namespace
}  // namespace carbide::tests
