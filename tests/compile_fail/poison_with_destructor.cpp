// SPDX-License-Identifier: MIT
// A destructor would run on what poison left.
// expect-error(gcc): no matching function for call to .*poison
// expect-error(clang): no matching function for call to 'poison'
// expect-error: is_trivially_destructible
#include <string>

#include "carbide/poison.hpp"

struct Connection {
#ifdef CARBIDE_TEST_CORRECT
    const char* peer = nullptr;
#else
    std::string peer;
#endif
};

void deinit(Connection& connection) { carbide::poison(connection); }
