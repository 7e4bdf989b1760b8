// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "carbide/testing/allocation_failures.hpp"
#include "testing/run_record.hpp"

namespace carbide::testing {

/// The message of a sweep: each mistake once, however many planned failures show it.
class SweepText {
public:
    /// `explanation` is a line or more on what the verdict is about.
    void add(const FailedRun& run, const RunRecord& record, std::string_view explanation);

    /// All of it under the heading, which says how many runs there were.
    [[nodiscard]] std::string finish(const std::string& heading) const;

private:
    struct Mistake {
        FailedRun run;
        std::string induced_at;
        std::string text;
        std::vector<std::string> other_points;  // The first few.
        std::size_t other_count = 0;
    };

    std::vector<Mistake> mistakes_;
    std::size_t untold_count_ = 0;
};

/// "1 alloc", "3 allocs".
[[nodiscard]] std::string counted(std::size_t count, std::string_view noun);

/// "    " in front of each line.
[[nodiscard]] std::string indented(std::string_view text);

}  // namespace carbide::testing
