// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "candidates.hpp"
#include "plan.hpp"

namespace bench::heaps {

/// One worker's line. `ns` is what is compared: of the clock, or of the processor.
struct Sample {
    double ns = 0;
    double steady_bytes = 0;
    double peak_bytes = 0;
    double freed_bytes = 0;
    double settled_bytes = 0;
};

[[nodiscard]] std::optional<Sample> parse_sample(const std::string& line,
                                                 const std::string& time_key);

/// All samples of one candidate in one run, in the order of the rounds.
struct Series {
    Candidate candidate;
    std::vector<Sample> samples;

    [[nodiscard]] double median(double Sample::* member) const;
};

struct Result {
    Run run;
    std::vector<Series> all;
    std::string skipped;  // Why it was not run, or empty.

    /// Where a peer was called in two ways, the one that was faster; in the same order.
    [[nodiscard]] std::vector<const Series*> faster() const;
    /// The peer with the least median, or null.
    [[nodiscard]] const Series* best_peer(double Sample::* member) const;
    /// The median of the rounds' ratios: what disturbed a round disturbed both.
    [[nodiscard]] static double ratio(const Series& series, const Series& to,
                                      double Sample::* member);
};

}  // namespace bench::heaps
