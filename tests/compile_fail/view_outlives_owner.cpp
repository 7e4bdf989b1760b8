// SPDX-License-Identifier: MIT
// What an owner lends must not outlive it.
// only: clang
// expect-error(clang): address of stack memory associated with local variable 'slice_owner'
// expect-error(clang): address of stack memory associated with local variable 'pointer_owner'
// expect-error(clang): reference to stack memory associated with local variable 'object_owner'
// expect-error(clang): temporary whose address is used as value of local variable 'dangling'
#include <utility>

#include "carbide/c_allocator.hpp"
#include "carbide/owned.hpp"
#include "carbide/owned_slice.hpp"

#ifdef CARBIDE_TEST_CORRECT
std::span<int> lent_by(const carbide::OwnedSlice<int>& owner) { return owner.span(); }
int* pointer_lent_by(const carbide::Owned<int>& owner) { return owner.get(); }
int& object_lent_by(const carbide::Owned<int>& owner) { return *owner; }
int read() { return *carbide::Owned<int>(carbide::c_allocator()).get(); }
#else
std::span<int> lent_by_local() {
    carbide::OwnedSlice<int> slice_owner(carbide::c_allocator());
    return slice_owner.span();
}
int* pointer_lent_by_local() {
    carbide::Owned<int> pointer_owner(carbide::c_allocator());
    return pointer_owner.get();
}
int& object_lent_by_local() {
    carbide::Owned<int> object_owner(carbide::c_allocator());
    return *object_owner;
}
int read() {
    const int* const dangling = carbide::Owned<int>(carbide::c_allocator()).get();
    return *dangling;
}
#endif
