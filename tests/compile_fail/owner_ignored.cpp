// SPDX-License-Identifier: MIT
// An owner without a name destroys at once, and a release that nobody takes leaks.
// expect-error(gcc): ignoring returned value of type 'carbide::Result<carbide::Owned<int>
// expect-error(gcc): ignoring return value of .*Owned<T>::release
// expect-error(gcc): ignoring return value of .*OwnedSlice<T>::release
// expect-error(clang): 'nodiscard' attribute[^|]*[|] +carbide::make_owned
// expect-error(clang): 'nodiscard' attribute[^|]*[|] +object.release
// expect-error(clang): 'nodiscard' attribute[^|]*[|] +slice.release
#include "carbide/owned.hpp"
#include "carbide/owned_slice.hpp"

void use(carbide::Owned<int> object, carbide::OwnedSlice<int> slice) {
    const carbide::Allocator allocator = object.allocator();
#ifdef CARBIDE_TEST_CORRECT
    const auto made = carbide::make_owned<int>(allocator);
    allocator.destroy(object.release());
    allocator.free(slice.release());
#else
    carbide::make_owned<int>(allocator);
    object.release();
    slice.release();
#endif
}
