// SPDX-License-Identifier: MIT
// Good tests pass, bad ones fail, swept ones fail under the failure sweep only.
#include "carbide/testing/googletest.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <span>
#include <string>
#include <thread>

#include "carbide/owned_slice.hpp"

namespace {

using carbide::make_owned_slice;
using carbide::OwnedSlice;
using carbide::testing::allocator;

TEST(Good, FreesWhatItAllocates) {
    const auto numbers = make_owned_slice<int>(allocator(), 10);
    ASSERT_TRUE(numbers.has_value());
    const auto more = make_owned_slice<int>(allocator(), 20);
    ASSERT_TRUE(more.has_value());
    EXPECT_EQ(numbers->size() + more->size(), 30U);
}

TEST(Good, FreesInAnotherThread) {
    auto numbers = make_owned_slice<int>(allocator(), 10);
    std::thread([&] { numbers = OwnedSlice<int>(allocator()); }).join();
}

TEST(Good, SkipsTheCheck) {
    carbide::testing::skip_memory_check();
    static_cast<void>(allocator().alloc<int>(10));
}

TEST(Good, AbortsOnPurpose) {
    const auto numbers = allocator().must_alloc<int>(10);
    allocator().free(numbers);
}

TEST(Good, DiesOnPurpose) {
    const auto numbers = make_owned_slice<int>(allocator(), 10);
    EXPECT_EXIT(std::exit(3), ::testing::ExitedWithCode(3), "");
}

class GoodFixture : public ::testing::Test {
protected:
    void SetUp() override {
        auto numbers = make_owned_slice<int>(allocator(), 10);
        ASSERT_TRUE(numbers.has_value());
        in_set_up_ = std::move(*numbers);
    }
    void TearDown() override { in_set_up_ = OwnedSlice<int>(allocator()); }

    OwnedSlice<int> in_constructor_ = make(5);
    OwnedSlice<int> in_set_up_{allocator()};

private:
    static OwnedSlice<int> make(std::size_t count) {
        auto numbers = make_owned_slice<int>(allocator(), count);
        return numbers.has_value() ? std::move(*numbers) : OwnedSlice<int>(allocator());
    }
};

TEST_F(GoodFixture, MayAllocateEverywhere) { EXPECT_EQ(in_set_up_.size(), 10U); }

TEST(Bad, Leaks) { static_cast<void>(allocator().alloc<int>(10)); }

TEST(Bad, FreesTwice) {
    const auto numbers = allocator().must_alloc<int>(10);
    allocator().free(numbers);
    allocator().free(numbers);
}

class BadFixture : public ::testing::Test {
protected:
    void SetUp() override { static_cast<void>(allocator().alloc<int>(10)); }
};

TEST_F(BadFixture, LeaksInSetUp) {}

// Correct as long as there is memory.
bool forgets_first_where_second_fails() {
    const auto first = allocator().alloc<int>(10);
    if (!first.has_value()) return false;
    const auto second = allocator().alloc<int>(20);
    if (!second.has_value()) return false;
    allocator().free(*second);
    allocator().free(*first);
    return true;
}

TEST(Swept, LeaksWhereTheSecondFails) { EXPECT_TRUE(forgets_first_where_second_fails()); }

TEST(Swept, CrashesWhereItFails) {
    const auto numbers = make_owned_slice<int>(allocator(), 10);
    volatile int* const first = numbers.has_value() ? numbers->data() : nullptr;
    *first = 1;
}

}  // namespace
