// SPDX-License-Identifier: MIT
#include "heap/thread_caching/huge_table.hpp"

#include <doctest/doctest.h>

#include <map>
#include <random>

#include "carbide/c_allocator.hpp"
#include "carbide/statistics_allocator.hpp"
#include "support/recording_heap.hpp"

namespace carbide::caching {
namespace {

TEST_CASE("huge table: does what a map does, also where addresses collide") {
    StatisticsAllocator statistics({.backing = c_allocator()});
    HugeTable table(statistics.allocator());
    std::map<std::uintptr_t, std::size_t> model;
    std::minstd_rand random(1);
    for (int round = 0; round < 20'000; ++round) {
        const std::uintptr_t address = (random() % 300 + 1) * 4096;
        CAPTURE(round);
        if (const auto found = model.find(address); found == model.end()) {
            REQUIRE(table.find(address).address == 0);
            REQUIRE(table.take_out(address).address == 0);
            REQUIRE(table.reserve());
            table.insert({address, static_cast<std::size_t>(round), std::align_val_t{1}});
            model[address] = static_cast<std::size_t>(round);
        } else if (random() % 2 == 0) {
            table.update(address, found->second + 1);
            REQUIRE(table.find(address).size_bytes == found->second + 1);
            ++found->second;
        } else {
            const HugeTable::Entry entry = table.take_out(address);
            REQUIRE(entry.address == address);
            REQUIRE(entry.size_bytes == found->second);
            table.unreserve();
            model.erase(found);
        }
    }
    std::size_t count = 0;
    table.visit([&](const HugeTable::Entry& entry) {
        ++count;
        CHECK(model.at(entry.address) == entry.size_bytes);
    });
    CHECK(count == model.size());
    for (const auto& [address, size_bytes] : model) {
        REQUIRE(table.take_out(address).address != 0);  // Nothing that `deinit` would give back.
    }
    table.deinit();
    CHECK(statistics.live_count() == 0);
}

TEST_CASE("huge table: without memory for more room it says so, and keeps what it has") {
    tests::RecordingHeap backing;
    HugeTable table(backing.allocator());
    for (std::uintptr_t i = 1; i <= 32; ++i) {
        REQUIRE(table.reserve());
        table.insert({i * 4096, i, std::align_val_t{1}});
    }
    backing.can_alloc = false;
    CHECK_FALSE(table.reserve());
    CHECK(table.find(32 * 4096).size_bytes == 32);
    CHECK(table.find_around(32 * 4096 + 31).address == 32 * 4096);
    CHECK(table.find_around(32 * 4096 + 32).address == 0);
    backing.can_alloc = true;
    CHECK(table.reserve());
    table.unreserve();
    for (std::uintptr_t i = 1; i <= 32; ++i) REQUIRE(table.take_out(i * 4096).size_bytes == i);
    table.deinit();
    CHECK(backing.live.empty());
    CHECK(backing.mistake == "");
}

}  // namespace
}  // namespace carbide::caching
