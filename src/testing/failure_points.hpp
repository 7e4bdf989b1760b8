// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "carbide/testing/allocation_failures.hpp"

namespace carbide::testing {

/// Which failures a sweep runs: the options, with what the environment says instead.
struct PointSelection {
    std::optional<FailurePoint> only;
    std::size_t sample_count = SIZE_MAX;
    std::uint64_t seed = 1;
    std::string mistake;  // Why this cannot work; empty where it can.
};

[[nodiscard]] PointSelection select_points(const char* only, std::size_t sample_count,
                                           std::uint64_t seed);

/// "alloc:17:once" and the like; nothing where the text is something else.
[[nodiscard]] std::optional<FailurePoint> parse_failure_point(std::string_view text) noexcept;

/// "alloc 17 failed, once"
[[nodiscard]] std::string describe(const FailurePoint& point);

[[nodiscard]] FailingAllocator::Plan plan_of(const FailurePoint& point) noexcept;

/// All points of a function with so many requests: of an alloc once and all, of a resize once, each
/// and all. A sample of them has the same order.
[[nodiscard]] std::vector<FailurePoint> failure_points(std::size_t alloc_count,
                                                       std::size_t resize_count,
                                                       const PointSelection& selection);

}  // namespace carbide::testing
