// SPDX-License-Identifier: MIT
// An owner of a base would give back fewer bytes than were allocated.
// expect-error: Another type has another size
// expect-error(gcc): use of deleted function .*Owned<U>&&
// expect-error(gcc): use of deleted function .*U\*, carbide::Allocator
// expect-error(clang): (call to|invokes a) deleted (constructor|function)
#include <utility>

#include "carbide/owned.hpp"

struct Shape {
    virtual ~Shape() = default;
};
struct Circle : Shape {
    double radius = 1;
};

#ifdef CARBIDE_TEST_CORRECT
carbide::Owned<const Circle> narrow(carbide::Owned<Circle> circle) { return circle; }
carbide::Owned<Circle> adopt(Circle* circle, carbide::Allocator allocator) {
    return carbide::Owned<Circle>(circle, allocator);
}
#else
carbide::Owned<Shape> widen(carbide::Owned<Circle> circle) { return circle; }
carbide::Owned<Shape> adopt(Circle* circle, carbide::Allocator allocator) {
    return carbide::Owned<Shape>(circle, allocator);
}
#endif
