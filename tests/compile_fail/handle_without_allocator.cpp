// SPDX-License-Identifier: MIT
// Every handle has an allocator behind it.
// expect-error(gcc): no matching function for call to 'carbide::Allocator::Allocator\(\)'
// expect-error(clang): no matching constructor for initialization of 'carbide::Allocator'
#include "carbide/c_allocator.hpp"

#ifdef CARBIDE_TEST_CORRECT
carbide::Allocator handle = carbide::c_allocator();
#else
carbide::Allocator handle;
#endif
