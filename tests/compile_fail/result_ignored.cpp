// SPDX-License-Identifier: MIT
// An ignored Result hides out of memory; an ignored allocation leaks.
// expect-error(gcc): ignoring returned value of type 'carbide::Result<int>'
// expect-error(gcc): ignoring returned value of type 'carbide::Result<std::span<int
// expect-error(gcc): ignoring returned value of type 'carbide::Result<int\*
// expect-error(gcc): ignoring return value of .*must_create
// expect-error(gcc): ignoring return value of .*raw_alloc
// expect-error(gcc): ignoring return value of .*resize
// expect-error(clang): 'nodiscard' attribute[^|]*[|] +parse
// expect-error(clang): 'nodiscard' attribute[^|]*[|] +allocator.alloc<
// expect-error(clang): 'nodiscard' attribute[^|]*[|] +allocator.create<
// expect-error(clang): 'nodiscard' attribute[^|]*[|] +allocator.must_create<
// expect-error(clang): 'nodiscard' attribute[^|]*[|] +allocator.raw_alloc
// expect-error(clang): 'nodiscard' attribute[^|]*[|] +allocator.resize
#include "carbide/allocator.hpp"

carbide::Result<int> parse();

void use(carbide::Allocator allocator, std::span<int> slice) {
#ifdef CARBIDE_TEST_CORRECT
    static_cast<void>(parse());
    allocator.free(allocator.alloc<int>(3).value());
    allocator.destroy(allocator.create<int>().value());
    allocator.destroy(allocator.must_create<int>());
    allocator.raw_free(allocator.raw_alloc(8, std::align_val_t{8}), 8, std::align_val_t{8});
    static_cast<void>(allocator.resize(slice, 3));
#else
    parse();
    allocator.alloc<int>(3);
    allocator.create<int>();
    allocator.must_create<int>();
    allocator.raw_alloc(8, std::align_val_t{8});
    allocator.resize(slice, 3);
#endif
}
