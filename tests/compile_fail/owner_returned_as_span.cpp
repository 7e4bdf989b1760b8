// SPDX-License-Identifier: MIT
// A local owner that is returned as a span would free what the span shows.
// expect-error(gcc): could not convert 'slice' from 'carbide::OwnedSlice<int>' to 'std::span<int
// expect-error(clang): no viable conversion from returned value of type 'carbide::OwnedSlice<int>'
#include <utility>

#include "carbide/owned_slice.hpp"

#ifdef CARBIDE_TEST_CORRECT
carbide::OwnedSlice<int> numbers(carbide::Allocator allocator) {
#else
std::span<int> numbers(carbide::Allocator allocator) {
#endif
    carbide::OwnedSlice<int> slice(allocator.must_alloc<int>(3), allocator);
    return slice;
}
