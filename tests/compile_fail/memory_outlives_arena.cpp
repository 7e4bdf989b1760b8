// SPDX-License-Identifier: MIT
// What came from an allocator must not outlive it: slices, objects, and results that hold them.
// only: clang
// expect-error(clang): address of stack memory associated with local variable 'slice_arena'
// expect-error(clang): address of stack memory associated with local variable 'object_arena'
// expect-error(clang): address of stack memory associated with local variable 'result_arena'
// expect-error(clang): address of stack memory associated with local variable 'copy_arena'
// expect-error(clang): address of stack memory associated with local variable 'raw_arena'
#include "carbide/arena_allocator.hpp"
#include "carbide/c_allocator.hpp"

#ifdef CARBIDE_TEST_CORRECT
std::span<int> slice_from(carbide::ArenaAllocator& arena) { return arena.must_alloc<int>(3); }
int* object_from(carbide::ArenaAllocator& arena) { return arena.must_create<int>(); }
carbide::Result<int*> result_from(carbide::ArenaAllocator& arena) { return arena.create<int>(); }
carbide::Result<std::span<char>> copy_from(carbide::ArenaAllocator& arena) {
    return arena.dupe("copy");
}
void* raw_from(carbide::ArenaAllocator& arena) { return arena.raw_alloc(8, std::align_val_t{8}); }
#else
std::span<int> slice_from() {
    carbide::ArenaAllocator slice_arena({.backing = carbide::c_allocator()});
    return slice_arena.must_alloc<int>(3);
}
int* object_from() {
    carbide::ArenaAllocator object_arena({.backing = carbide::c_allocator()});
    return object_arena.must_create<int>();
}
carbide::Result<int*> result_from() {
    carbide::ArenaAllocator result_arena({.backing = carbide::c_allocator()});
    return result_arena.create<int>();
}
carbide::Result<std::span<char>> copy_from() {
    carbide::ArenaAllocator copy_arena({.backing = carbide::c_allocator()});
    return copy_arena.dupe("copy");
}
void* raw_from() {
    carbide::ArenaAllocator raw_arena({.backing = carbide::c_allocator()});
    return raw_arena.raw_alloc(8, std::align_val_t{8});
}
#endif
