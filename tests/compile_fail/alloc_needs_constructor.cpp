// SPDX-License-Identifier: MIT
// alloc constructs nothing, so it hands out no type that needs it.
// expect-error(gcc): no matching function for call to .*alloc<std::string>
// expect-error(gcc): constraints not satisfied
// expect-error(clang): no matching member function for call to 'alloc'
// expect-error(clang): does not satisfy 'ImplicitLifetime'
#include <string>

#include "carbide/allocator.hpp"

bool use(carbide::Allocator allocator) {
#ifdef CARBIDE_TEST_CORRECT
    return allocator.create<std::string>("text").has_value();
#else
    return allocator.alloc<std::string>(3).has_value();
#endif
}
