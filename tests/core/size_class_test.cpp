// SPDX-License-Identifier: MIT
#include "carbide/size_class.hpp"

#include <doctest/doctest.h>

namespace carbide {
namespace {

using detail::size_class_of;
using detail::slot_bytes_of;

constexpr std::size_t size_bytes_max = std::size_t{1} << 16;

TEST_CASE("size classes: the slot of a size is the smallest that holds it") {
    for (std::size_t size_bytes = 1; size_bytes <= size_bytes_max; ++size_bytes) {
        const unsigned size_class = size_class_of(size_bytes);
        REQUIRE(slot_bytes_of(size_class) >= size_bytes);
        if (size_class != 0) REQUIRE(slot_bytes_of(size_class - 1) < size_bytes);
    }
}

TEST_CASE("size classes: rounding wastes under 16 bytes up to 128, and an eighth at most above") {
    for (std::size_t size_bytes = 1; size_bytes <= size_bytes_max; ++size_bytes) {
        const std::size_t waste_bytes = slot_bytes_of(size_class_of(size_bytes)) - size_bytes;
        if (size_bytes <= 128) {
            REQUIRE(waste_bytes < 16);
        } else {
            REQUIRE(waste_bytes * 8 < size_bytes);
        }
    }
}

TEST_CASE("size classes: every slot is a multiple of 16") {
    for (unsigned i = 0; i <= size_class_of(size_bytes_max); ++i) {
        REQUIRE(slot_bytes_of(i) % 16 == 0);
        REQUIRE(size_class_of(slot_bytes_of(i)) == i);
    }
}

}  // namespace
}  // namespace carbide
