// SPDX-License-Identifier: MIT
#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "carbide/testing/allocator_contract.hpp"

namespace carbide::tests {

/// Whether the report says this, and with which seed to see it again.
[[nodiscard]] inline bool reports(const testing::ContractReport& report, std::string_view text,
                                  std::uint64_t seed = 1) {
    const std::string message(report.message());
    INFO(message);
    CHECK_FALSE(report.passed());
    const std::string context = "(seed " + std::to_string(seed) + ")";
    const bool found =
        message.find(text) != std::string::npos && message.find(context) != std::string::npos;
    CHECK(found);
    return found;
}

}  // namespace carbide::tests
