// SPDX-License-Identifier: MIT
// A reference in a Result would dangle in CARBIDE_TRY.
// expect-error: a Result holds values: use a pointer
#include "carbide/result.hpp"

#ifdef CARBIDE_TEST_CORRECT
carbide::Result<int*> result;
#else
carbide::Result<int&> result;
#endif
