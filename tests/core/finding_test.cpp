// SPDX-License-Identifier: MIT
#include "carbide/finding.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>

namespace carbide {
namespace {

TEST_CASE("finding: every kind has a name of its own, in lower case and hyphens") {
    std::set<std::string_view> names;
    for (unsigned kind = 0;
         kind <= unsigned{static_cast<unsigned char>(FindingKind::global_allocation)}; ++kind) {
        const std::string_view name = name_of(static_cast<FindingKind>(kind));
        CAPTURE(kind);
        CHECK(name != "unknown");
        CHECK(std::all_of(name.begin(), name.end(), [](char letter) {
            return letter == '-' || (letter >= 'a' && letter <= 'z');
        }));
        names.insert(name);
    }
    CHECK(names.size() == 13);
}

TEST_CASE("finding: the names are those that docs and suppression files use") {
    CHECK(name_of(FindingKind::leak) == "leak");
    CHECK(name_of(FindingKind::double_free) == "double-free");
    CHECK(name_of(FindingKind::write_after_free) == "write-after-free");
    CHECK(name_of(FindingKind::global_allocation) == "global-allocation");
}

}  // namespace
}  // namespace carbide
