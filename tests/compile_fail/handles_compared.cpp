// SPDX-License-Identifier: MIT
// Different handles may free each other's memory, or may not: comparing them says nothing.
// expect-error(gcc): no match for 'operator=='
// expect-error(clang): invalid operands to binary expression
#include "carbide/allocator.hpp"

bool same(carbide::Allocator left, carbide::Allocator right) {
#ifdef CARBIDE_TEST_CORRECT
    return &left.heap() == &right.heap();
#else
    return left == right;
#endif
}
