// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

namespace bench::heaps {

struct Outcome {
    int status = 0;      // Of exit; 128 and the number of a signal; -1: not started.
    std::string output;  // What it printed on both streams.
};

/// Runs a program to its end. `preload`: a library for LD_PRELOAD, or empty.
[[nodiscard]] Outcome run(const std::vector<std::string>& arguments, const std::string& preload);

}  // namespace bench::heaps
