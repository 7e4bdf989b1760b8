// SPDX-License-Identifier: MIT
#include "platform/threads.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <thread>

#include "support/child_process.hpp"

namespace carbide::platform {
namespace {

TEST_CASE("threads: the id is the kernel's, and another in every thread") {
    const int own = thread_id();
    CHECK(own == gettid());
    CHECK(thread_id() == own);
    int other = 0;
    bool is_the_kernels = false;
    std::thread([&] {
        other = thread_id();
        is_the_kernels = other == gettid();
    }).join();
    CHECK(is_the_kernels);
    CHECK(other != own);
}

TEST_CASE("threads: a forked child does not inherit its parent's id") {
    static_cast<void>(thread_id());  // Cached from here on.
    const tests::ChildResult child = tests::run_in_child([] {
        if (thread_id() != gettid()) _exit(1);
    });
    CHECK(child.signal == 0);
    CHECK(child.exit_status == 0);
}

}  // namespace
}  // namespace carbide::platform
