// SPDX-License-Identifier: MIT
#include "carbide/recovery_scope.hpp"

#include <doctest/doctest.h>

#include <thread>

namespace carbide {
namespace {

TEST_CASE("recovery scope: it is open while one lives, and they nest") {
    CHECK_FALSE(RecoveryScope::is_open());
    {
        const RecoveryScope outer;
        CHECK(RecoveryScope::is_open());
        {
            const RecoveryScope inner;
        }
        CHECK(RecoveryScope::is_open());
    }
    CHECK_FALSE(RecoveryScope::is_open());
}

TEST_CASE("recovery scope: it is one thread's alone") {
    const RecoveryScope scope;
    bool open_in_other = true;
    std::thread([&] { open_in_other = RecoveryScope::is_open(); }).join();
    CHECK_FALSE(open_in_other);
}

}  // namespace
}  // namespace carbide
