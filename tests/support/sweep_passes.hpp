// SPDX-License-Identifier: MIT
#pragma once

#include <doctest/doctest.h>

#include "carbide/testing/allocation_failures.hpp"

namespace carbide::tests {

/// Whether no failure did harm, and there were requests to fail. What went wrong is in the log.
inline bool passes(const testing::SweepReport& report) {
    INFO(report.message());
    CHECK(report.passed());
    CHECK(report.alloc_count() > 0);
    return report.passed() && report.alloc_count() > 0;
}

}  // namespace carbide::tests
