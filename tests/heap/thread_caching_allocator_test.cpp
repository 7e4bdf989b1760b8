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

TEST_CASE("thread caching: size_of is what may be used, and 0 for what starts no allocation") {
    for (const bool hardened : {false, true}) {
        ThreadCachingAllocator allocator({.hardened = hardened});
        int foreign = 0;
        CHECK(allocator.size_of(&foreign) == 0);
        CHECK_FALSE(allocator.owns(&foreign));
        for (const std::size_t size_bytes :
             {1UL, 16UL, 17UL, 129UL, 5000UL, 32'768UL, 32'769UL, 1'048'576UL, 1'048'577UL}) {
            CAPTURE(size_bytes);
            const std::span<char> block = allocator.must_alloc<char>(size_bytes);
            const std::size_t usable_bytes = allocator.size_of(block.data());
            CHECK(usable_bytes >= size_bytes);
            CHECK(usable_bytes <= size_bytes + std::max<std::size_t>(15, size_bytes / 8));
            CHECK(allocator.size_of(block.data() + 1) == 0);
            CHECK(allocator.owns(block.data()));
            CHECK(allocator.owns(block.data() + size_bytes - 1));
            if (!checker_watches()) std::memset(block.data(), 'x', usable_bytes);
            allocator.free(block);
        }
        CHECK(allocator.is_valid());
    }
}

TEST_CASE("thread caching: memory may be freed without its size and alignment") {
    for (const bool hardened : {false, true}) {
        ThreadCachingAllocator allocator({.hardened = hardened});
        for (const std::size_t size_bytes :
             {1UL, 100UL, 3000UL, 40'000UL, 1'000'000UL, 2'000'000UL}) {
            for (const std::size_t alignment_bytes :
                 {1UL, 16UL, 64UL, 4096UL, 16'384UL, 65'536UL}) {
                CAPTURE(size_bytes);
                CAPTURE(alignment_bytes);
                void* const memory =
                    allocator.raw_alloc(size_bytes, std::align_val_t{alignment_bytes});
                REQUIRE(memory != nullptr);
                CHECK(reinterpret_cast<std::uintptr_t>(memory) % alignment_bytes == 0);
                CHECK(allocator.size_of(memory) >= size_bytes);
                allocator.free_unsized(memory);
            }
        }
        CHECK(allocator.statistics().lent_bytes == 0);
        CHECK(allocator.is_valid());
    }
}

TEST_CASE("thread caching: large allocations grow in place where the units behind are free") {
    ThreadCachingAllocator allocator;
    const std::span<char> block = allocator.must_alloc<char>(100'000);
    CHECK(allocator.resize(block, 500'000));
    CHECK(allocator.size_of(block.data()) == 500'000);
    const std::span<char> behind = allocator.must_alloc<char>(100'000);
    if (behind.data() > block.data()) CHECK_FALSE(allocator.resize(block.first(500'000), 900'000));
    CHECK(allocator.resize(std::span(block.data(), 500'000), 60'000));
    CHECK_FALSE(allocator.resize(std::span(block.data(), 60'000), 1000));  // That would be a slot.
    CHECK(allocator.is_valid());
    allocator.free(std::span(block.data(), 60'000));
    allocator.free(behind);
    CHECK(allocator.statistics().lent_bytes == 0);
}

TEST_CASE("thread caching: huge allocations grow by moving page tables, and keep their content") {
    ThreadCachingAllocator allocator;
    std::span<char> block = allocator.must_alloc<char>(std::size_t{2} << 20);
    block.back() = 'b';
    for (std::size_t size_bytes = std::size_t{3} << 20; size_bytes <= std::size_t{64} << 20;
         size_bytes += std::size_t{9} << 20) {
        const std::size_t old_bytes = block.size();
        const auto grown = allocator.remap(block, size_bytes);
        REQUIRE(grown.has_value());
        block = *grown;
        REQUIRE(block[(std::size_t{2} << 20) - 1] == 'b');
        REQUIRE(allocator.size_of(block.data()) == size_bytes);
        REQUIRE(size_bytes > old_bytes);
    }
    const HeapStatistics statistics = allocator.statistics();
    CHECK(statistics.huge_count == 1);
    CHECK(statistics.huge_bytes == block.size());
    allocator.free(block);
    CHECK(allocator.statistics().huge_count == 0);
}

TEST_CASE("thread caching: statistics count every byte that is lent, cached and free") {
    ThreadCachingAllocator allocator;
    CHECK(allocator.statistics().mapped_bytes == 0);
    std::vector<std::span<char>> blocks;
    for (int i = 0; i < 1000; ++i) blocks.push_back(allocator.must_alloc<char>(100));
    const auto large = allocator.must_alloc<char>(40'000);
    const auto huge = allocator.must_alloc<char>(3'000'000);
    const HeapStatistics lent = allocator.statistics();
    const auto& size_class = lent.size_classes[detail::size_class_of(100)];
    CHECK(size_class.slot_bytes == 112);
    CHECK(size_class.lent_count == 1000);
    CHECK(lent.large_count == 1);
    CHECK(lent.large_bytes == 40'000);
    CHECK(lent.huge_count == 1);
    CHECK(lent.huge_bytes == 3'000'000);
    CHECK(lent.lent_bytes == 112'000 + 40'000 + 3'000'000);
    CHECK(lent.chunk_count == 1);
    CHECK(lent.mapped_bytes > (std::size_t{4} << 20) + 3'000'000);
    CHECK(lent.resident_bytes < lent.mapped_bytes);
    for (const auto& block : blocks) allocator.free(block);
    allocator.free(large);
    allocator.free(huge);
    const HeapStatistics freed = allocator.statistics();
    CHECK(freed.lent_bytes == 0);
    const auto& freed_class = freed.size_classes[detail::size_class_of(100)];
    CHECK(freed_class.cached_count() + freed_class.free_count ==
          size_class.lent_count + size_class.cached_count() + size_class.free_count);
    CHECK(freed.cached_bytes == freed_class.cached_count() * 112);
}

TEST_CASE("thread caching: a resize in place keeps to the slot") {
    ThreadCachingAllocator allocator;
    const std::span<char> block = allocator.must_alloc<char>(100);
    CHECK(allocator.resize(block, 112));
    CHECK(allocator.resize(std::span(block.data(), 112), 97));
    CHECK_FALSE(allocator.resize(std::span(block.data(), 97), 96));  // Another class frees it.
    CHECK_FALSE(allocator.resize(std::span(block.data(), 97), 113));
    allocator.free(std::span(block.data(), 97));
    CHECK(allocator.is_valid());
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
