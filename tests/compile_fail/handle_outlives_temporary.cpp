// SPDX-License-Identifier: MIT
// A handle must not outlive its allocator, not even by one statement.
// only: clang
// expect-error(clang): temporary whose address is used as value of local variable 'handle'
#include "carbide/arena_allocator.hpp"
#include "carbide/c_allocator.hpp"

const char* name() {
#ifdef CARBIDE_TEST_CORRECT
    carbide::ArenaAllocator arena({.backing = carbide::c_allocator()});
    const carbide::Allocator handle = arena.allocator();
#else
    const carbide::Allocator handle =
        carbide::ArenaAllocator({.backing = carbide::c_allocator()}).allocator();
#endif
    return handle.name();
}
