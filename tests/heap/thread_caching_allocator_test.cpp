// SPDX-License-Identifier: MIT
#include "carbide/thread_caching_allocator.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <ostream>
#include <span>
#include <string_view>
#include <thread>
#include <vector>

#include "carbide/c_allocator.hpp"
#include "carbide/failing_allocator.hpp"
#include "carbide/limit_allocator.hpp"
#include "carbide/statistics_allocator.hpp"
#include "carbide/testing/allocator_contract.hpp"
#include "support/recording_heap.hpp"

namespace carbide {
namespace {

using testing::check_allocator_contract;
using testing::check_out_of_memory;
using testing::check_shared_allocator;
using testing::ContractOptions;
using Options = ThreadCachingAllocator::Options;

struct Variant {
    const char* name;
    Options options;
};

std::vector<Variant> variants() {
    return {
        {"as it comes", {}},
        {"hardened", {.hardened = true}},
        {"nothing retained", {.retained_bytes_max = 0, .decay_ms = 0}},
        {"huge pages", {.huge_pages = true}},
        {"on malloc", {.backing = c_allocator()}},
    };
}

TEST_CASE("thread caching: keeps the contract with every option") {
    for (const Variant& variant : variants()) {
        CAPTURE(variant.name);
        ThreadCachingAllocator allocator(variant.options);
        const auto report = check_allocator_contract(allocator.allocator(),
                                                     {.size_bytes_max = std::size_t{3} << 20,
                                                      .operation_count = 10'000,
                                                      .live_bytes_max = std::size_t{8} << 20});
        CHECK_MESSAGE(report.passed(), report.message());
        CHECK(allocator.is_valid());
        CHECK(allocator.statistics().lent_bytes == 0);
    }
}

TEST_CASE("thread caching: the process-wide instance keeps the contract") {
    const auto report = check_allocator_contract(thread_caching_allocator().allocator());
    CHECK_MESSAGE(report.passed(), report.message());
    CHECK(thread_caching_allocator().is_valid());
}

TEST_CASE("thread caching: may be shared by threads with every option") {
    for (const Variant& variant : variants()) {
        CAPTURE(variant.name);
        ThreadCachingAllocator allocator(variant.options);
        const auto report = check_shared_allocator(allocator.allocator(), 4);
        CHECK_MESSAGE(report.passed(), report.message());
        CHECK(allocator.is_valid());
        const HeapStatistics statistics = allocator.statistics();
        CHECK(statistics.lent_bytes == 0);
        CHECK(statistics.thread_count == 1);  // This one: the others have ended.
    }
}

TEST_CASE("thread caching: survives out of memory at every request to its backing") {
    for (const bool hardened : {false, true}) {
        CAPTURE(hardened);
        const auto report = check_out_of_memory(
            [&](Allocator backing, auto run_on) {
                ThreadCachingAllocator allocator({.backing = backing, .hardened = hardened});
                run_on(allocator.allocator());
                CHECK(allocator.is_valid());
                CHECK(allocator.statistics().lent_bytes == 0);
            },
            {.size_bytes_max = std::size_t{3} << 20, .operation_count = 300});
        CHECK_MESSAGE(report.passed(), report.message());
    }
}

TEST_CASE("thread caching: more allocators than have bins work, too") {
    std::vector<std::unique_ptr<ThreadCachingAllocator>> allocators;
    for (unsigned i = 0; i < detail::bin_slot_count + 2; ++i) {
        allocators.push_back(std::make_unique<ThreadCachingAllocator>());
    }
    for (const auto& allocator : allocators) {
        const auto report =
            check_allocator_contract(allocator->allocator(), {.operation_count = 100});
        CHECK_MESSAGE(report.passed(), report.message());
    }
}

}  // namespace
}  // namespace carbide
