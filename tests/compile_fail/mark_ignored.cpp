// SPDX-License-Identifier: MIT
// A scope without a name rewinds at once.
// expect-error(gcc): ignoring return value of .*scope
// expect-error(gcc): ignoring return value of .*mark
// expect-error(clang): 'nodiscard' attribute[^|]*[|] +arena.scope
// expect-error(clang): 'nodiscard' attribute[^|]*[|] +arena.mark
#include "carbide/arena_allocator.hpp"

void use(carbide::ArenaAllocator& arena) {
#ifdef CARBIDE_TEST_CORRECT
    const auto scope = arena.scope();
    const auto mark = arena.mark();
#else
    arena.scope();
    arena.mark();
#endif
}
