// SPDX-License-Identifier: MIT
// A handle must not outlive its allocator.
// only: clang
// expect-error(clang): address of stack memory associated with local variable 'arena' returned
#include "carbide/arena_allocator.hpp"
#include "carbide/c_allocator.hpp"

#ifdef CARBIDE_TEST_CORRECT
carbide::Allocator handle_to(carbide::ArenaAllocator& arena) { return arena.allocator(); }
#else
carbide::Allocator handle_to_local() {
    carbide::ArenaAllocator arena({.backing = carbide::c_allocator()});
    return arena.allocator();
}
#endif
