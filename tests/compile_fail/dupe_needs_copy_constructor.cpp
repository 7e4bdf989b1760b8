// SPDX-License-Identifier: MIT
// dupe and realloc move bytes, so they take no type whose copy is more than that.
// expect-error(gcc): no matching function for call to .*dupe
// expect-error(gcc): no matching function for call to .*realloc
// expect-error(clang): no matching member function for call to 'dupe'
// expect-error(clang): no matching member function for call to 'realloc'
// expect-error: TriviallyCopyable
#include <memory>
#include <span>

#include "carbide/allocator.hpp"

#ifdef CARBIDE_TEST_CORRECT
using Element = int*;
#else
using Element = std::unique_ptr<int>;
#endif

bool copy(carbide::Allocator allocator, std::span<Element> elements) {
    return allocator.dupe(elements).has_value();
}
bool grow(carbide::Allocator allocator, std::span<Element> elements) {
    return allocator.realloc(elements, 2 * elements.size()).has_value();
}
