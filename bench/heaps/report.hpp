// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "results.hpp"

namespace bench::heaps {

/// How many goals there were, and how many were reached.
struct Tally {
    unsigned reached = 0;
    unsigned total = 0;
};

/// A table of one run: time beside resident memory, and goals where there are some.
void print_table(const Result& result, Tally& tally);

/// A row for each allocator, a column for each number of threads.
void print_scaling(const std::vector<Result>& results);

[[nodiscard]] std::string to_json(const std::vector<Result>& results);

}  // namespace bench::heaps
