// SPDX-License-Identifier: MIT
// Handles point at the allocator, so it stays where it is.
// expect-error(gcc): use of deleted function .*ArenaAllocator\(const carbide::ArenaAllocator&\)
// expect-error(gcc): use of deleted function .*CAllocator\(const carbide::CAllocator&\)
// expect-error(clang): call to (implicitly-)?deleted (copy )?constructor of '.*ArenaAllocator'
// expect-error(clang): call to (implicitly-)?deleted (copy )?constructor of '.*CAllocator'
#include <utility>

#include "carbide/arena_allocator.hpp"
#include "carbide/c_allocator.hpp"

#ifdef CARBIDE_TEST_CORRECT
void use(carbide::ArenaAllocator& arena) {
    carbide::ArenaAllocator other(arena.detach());
    carbide::CAllocator malloc;
}
#else
void use(carbide::ArenaAllocator& arena, carbide::CAllocator& malloc) {
    carbide::ArenaAllocator other(std::move(arena));
    carbide::CAllocator copy(malloc);
}
#endif
