// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "carbide/allocator.hpp"
#include "carbide/owned_slice.hpp"
#include "carbide/testing/allocation_failures.hpp"
#include "carbide/try.hpp"
#include "testing/swept_functions.hpp"

namespace carbide::testing {
namespace {

// A stack of numbers that grows by hand.
class Numbers {
public:
    explicit Numbers(Allocator allocator) noexcept : allocator_(allocator) {}
    ~Numbers() { allocator_.free(items_); }
    Numbers(const Numbers&) = delete;
    Numbers& operator=(const Numbers&) = delete;

    Result<void> push(int number, bool forgetful) {
        if (forgetful) ++size_;
        if (size_ + (forgetful ? 0 : 1) > items_.size()) {
            CARBIDE_TRY_LET(grown, allocator_.realloc(items_, items_.size() * 2 + 1));
            items_ = grown;
        }
        if (!forgetful) ++size_;
        items_[size_ - 1] = number;
        return {};
    }
    [[nodiscard]] std::vector<int> content() const { return {items_.begin(), items_.end()}; }
    [[nodiscard]] std::size_t size() const { return size_; }

private:
    Allocator allocator_;
    std::span<int> items_;
    std::size_t size_ = 0;
};

SweepReport strong_guarantee_of_push(bool forgetful) {
    return check_strong_guarantee([](Allocator allocator) { return Numbers(allocator); },
                                  [forgetful](Numbers& numbers, Allocator) -> Result<void> {
                                      return numbers.push(3, forgetful);
                                  },
                                  [](const Numbers& numbers) { return numbers.size(); });
}

TEST_CASE("sweep: an object that a failed operation has changed breaks the strong guarantee") {
    const SweepReport good = strong_guarantee_of_push(false);
    INFO(good.message());
    CHECK(good.passed());
    CHECK(good.alloc_count() == 1);
    const SweepReport bad = strong_guarantee_of_push(true);
    CHECK(bad.verdict() == Verdict::changed);
    says(bad, "the object is not as it was before");
}

TEST_CASE("sweep: what builds the object is neither counted nor failed") {
    const SweepReport report = check_strong_guarantee(
        [](Allocator allocator) {
            auto slice = make_owned_slice<int>(allocator, 8);
            REQUIRE(slice.has_value());
            return std::move(*slice);
        },
        [](OwnedSlice<int>&, Allocator allocator) {
            return make_owned_slice<int>(allocator, 1).has_value();
        },
        [](const OwnedSlice<int>& slice) { return slice.size(); });
    INFO(report.message());
    CHECK(report.passed());
    CHECK(report.alloc_count() == 1);
}

struct AsksInTheEnd {
    Allocator allocator;
    bool* failed;
    ~AsksInTheEnd() { *failed = *failed || !make_owned_slice<int>(allocator, 1).has_value(); }
};

TEST_CASE("sweep: what ends the object is not failed either") {
    bool failed = false;
    const SweepReport report = check_strong_guarantee(
        [&](Allocator allocator) { return AsksInTheEnd{allocator, &failed}; },
        [](AsksInTheEnd&, Allocator allocator) {
            return make_owned_slice<int>(allocator, 1).has_value();
        },
        [](const AsksInTheEnd&) { return 0; });
    INFO(report.message());
    CHECK(report.passed());
    CHECK_FALSE(failed);
}

}  // namespace
}  // namespace carbide::testing
