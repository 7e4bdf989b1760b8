// SPDX-License-Identifier: MIT
// Two owners would free twice.
// expect-error(gcc): use of deleted function '.*Owned<int>::Owned\(const carbide::Owned<int>&\)
// expect-error(gcc): use of deleted function '.*OwnedSlice<int>::OwnedSlice\(const
// expect-error(clang): deleted copy constructor of '[^']*Owned<int>'
// expect-error(clang): deleted copy constructor of '[^']*OwnedSlice<int>'
#include <utility>

#include "carbide/owned.hpp"
#include "carbide/owned_slice.hpp"

void use(carbide::Owned<int> object, carbide::OwnedSlice<int> slice) {
#ifdef CARBIDE_TEST_CORRECT
    const carbide::Owned<int> other = std::move(object);
    const carbide::OwnedSlice<int> other_slice = std::move(slice);
#else
    const carbide::Owned<int> other = object;
    const carbide::OwnedSlice<int> other_slice = slice;
#endif
}
