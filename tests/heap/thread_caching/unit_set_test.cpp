// SPDX-License-Identifier: MIT
#include "heap/thread_caching/unit_set.hpp"

#include <doctest/doctest.h>

#include <bitset>
#include <random>

namespace carbide::caching {
namespace {

UnitSet::Run next_run_of(const std::bitset<UnitSet::size>& model, unsigned from) {
    unsigned begin = from;
    while (begin < UnitSet::size && !model[begin]) ++begin;
    unsigned end = begin;
    while (end < UnitSet::size && model[end]) ++end;
    return {begin, end - begin};
}

TEST_CASE("unit set: does what a set of bits does, whatever the run") {
    std::minstd_rand random(1);
    std::bitset<UnitSet::size> model;
    UnitSet set;
    for (int round = 0; round < 5000; ++round) {
        const unsigned begin = static_cast<unsigned>(random() % UnitSet::size);
        const unsigned count = static_cast<unsigned>(random() % (UnitSet::size - begin + 1));
        const bool inserts = random() % 2 == 0;
        for (unsigned i = begin; i < begin + count; ++i) model[i] = inserts;
        inserts ? set.insert({begin, count}) : set.erase({begin, count});
        REQUIRE(set.count() == model.count());
        const unsigned from = static_cast<unsigned>(random() % UnitSet::size);
        const UnitSet::Run run = set.next_run(from);
        const UnitSet::Run expected = next_run_of(model, from);
        CAPTURE(from);
        REQUIRE(run.count == expected.count);
        if (run.count != 0) REQUIRE(run.begin == expected.begin);
        REQUIRE(set.contains(from) == model[from]);
    }
}

TEST_CASE("unit set: a run may be all of it") {
    UnitSet set;
    CHECK(set.next_run(0).count == 0);
    set.insert({0, UnitSet::size});
    CHECK(set.next_run(0).count == UnitSet::size);
    CHECK(set.next_run(255).count == 1);
    CHECK((set & set) == set);
    set.erase({64, 64});
    CHECK(set.next_run(0).count == 64);
    CHECK(set.next_run(64).begin == 128);
}

}  // namespace
}  // namespace carbide::caching
