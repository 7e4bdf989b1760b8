// SPDX-License-Identifier: MIT
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "carbide/allocator.hpp"
#include "carbide/owned_slice.hpp"
#include "carbide/testing/allocation_failures.hpp"
#include "carbide/try.hpp"

namespace carbide::testing {

inline bool says(const SweepReport& report, std::string_view text) {
    INFO(report.message());
    const bool found = report.message().find(text) != std::string::npos;
    CHECK_MESSAGE(found, "expected: ", text);
    return found;
}

// Gives everything back, whatever fails.
inline Result<int> correct(Allocator allocator) {
    CARBIDE_TRY_LET(first, make_owned_slice<int>(allocator, 8));
    CARBIDE_TRY_LET(second, make_owned_slice<int>(allocator, 8));
    CARBIDE_TRY_LET(third, make_owned_slice<int>(allocator, 8));
    return static_cast<int>(first.size() + second.size() + third.size());
}

inline Result<void> leaks_first_where_second_fails(Allocator allocator) {
    CARBIDE_TRY_LET(first, allocator.alloc<int>(10));
    CARBIDE_TRY_LET(second, allocator.alloc<int>(20));
    allocator.free(second);
    allocator.free(first);
    return {};
}

}  // namespace carbide::testing
