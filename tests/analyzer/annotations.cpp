// SPDX-License-Identifier: MIT
// A checker reads the ownership vocabulary from clang's syntax tree.
// expect-ast: duplicate 'char .*AnnotateAttr [^"]*"carbide::caller_owns"
// expect-ast: view 'const char [^']*clang::lifetimebound.*AnnotateAttr [^"]*"carbide::valid_until"
// expect-ast: StringLiteral [^"]*"the next append"
// expect-ast: taken 'char \*'.[ |]*.-AnnotateAttr [^"]*"carbide::takes_ownership"
// expect-ast: lender 'const View &'.[ |]*.-LifetimeBoundAttr
// expect-ast: generic 'T \*'.[ |]*.-AnnotateAttr [^"]*"carbide::takes_ownership"
#include "carbide/annotations.hpp"

CARBIDE_CALLER_OWNS char* duplicate(const char* source);

struct View {
    CARBIDE_VALID_UNTIL("the next append") const char* view() const CARBIDE_LIFETIMEBOUND;
};

void take(CARBIDE_TAKES_OWNERSHIP char* taken);

const char* first(const View& lender CARBIDE_LIFETIMEBOUND);

template <class T>
void take_any(CARBIDE_TAKES_OWNERSHIP T* generic);
