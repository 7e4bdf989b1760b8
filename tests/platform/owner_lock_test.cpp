// SPDX-License-Identifier: MIT
#include "platform/owner_lock.hpp"

#include <doctest/doctest.h>

#include <cstdio>
#include <thread>
#include <vector>

#include "support/child_process.hpp"

using carbide::platform::OwnerLock;

TEST_CASE("owner lock: its owner does not get it a second time") {
    OwnerLock lock;
    CHECK(lock.lock());
    CHECK_FALSE(lock.lock());
    lock.unlock();
    CHECK(lock.lock());
    lock.unlock();
}

TEST_CASE("owner lock: one thread at a time has it") {
    OwnerLock lock;
    long counter = 0;
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 4; ++i) {
            threads.emplace_back([&] {
                for (int k = 0; k < 5000; ++k) {
                    if (!lock.lock()) continue;
                    counter += 1;
                    lock.unlock();
                }
            });
        }
    }
    CHECK(counter == 4 * 5000);
}

TEST_CASE("owner lock: a child takes it over from a thread that it has not got") {
    OwnerLock lock;
    REQUIRE(lock.lock());
    const carbide::tests::ChildResult child = carbide::tests::run_in_child([&] {
        if (lock.lock()) std::fputs("taken", stderr);
    });
    CHECK(child.wrote("taken"));
    CHECK_FALSE(lock.lock());
    lock.unlock();
}
