// SPDX-License-Identifier: MIT
// Below the marker nothing may fail, in an inner scope either.
// flags: -Wshadow
// expect-error: CARBIDE_TRY_LET stands below CARBIDE_NOTHING_FAILS_BELOW
#include "carbide/result.hpp"
#include "carbide/try.hpp"

carbide::Result<int> step();

carbide::Result<int> init() {
#ifdef CARBIDE_TEST_CORRECT
    {
        CARBIDE_NOTHING_FAILS_BELOW;
    }
#else
    CARBIDE_NOTHING_FAILS_BELOW;
#endif
    {
        CARBIDE_TRY_LET(value, step());
        return value;
    }
}
