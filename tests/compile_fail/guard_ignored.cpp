// SPDX-License-Identifier: MIT
// A guard without a name runs at once.
// expect-error(gcc): ignoring return value of .*defer
// expect-error(gcc): ignoring return value of .*errdefer
// expect-error(clang): 'nodiscard' attribute[^|]*[|] +carbide::defer
// expect-error(clang): 'nodiscard' attribute[^|]*[|] +carbide::errdefer
#include "carbide/defer.hpp"

void close_it();

void use() {
#ifdef CARBIDE_TEST_CORRECT
    const auto close = carbide::defer([] { close_it(); });
    auto undo = carbide::errdefer([] { close_it(); });
    undo.commit();
#else
    carbide::defer([] { close_it(); });
    carbide::errdefer([] { close_it(); });
#endif
}
