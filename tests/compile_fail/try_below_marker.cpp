// SPDX-License-Identifier: MIT
// Below the marker nothing may fail: the guards are committed.
// expect-error: CARBIDE_TRY stands below CARBIDE_NOTHING_FAILS_BELOW
#include "carbide/defer.hpp"
#include "carbide/result.hpp"
#include "carbide/try.hpp"

carbide::Result<int> step();
void undo_step();

carbide::Result<int> init() {
    const int first = CARBIDE_TRY(step());
    auto undo = carbide::errdefer([] { undo_step(); });
#ifdef CARBIDE_TEST_CORRECT
    const int second = CARBIDE_TRY(step());
    CARBIDE_NOTHING_FAILS_BELOW;
    undo.commit();
#else
    CARBIDE_NOTHING_FAILS_BELOW;
    undo.commit();
    const int second = CARBIDE_TRY(step());
#endif
    return first + second;
}
