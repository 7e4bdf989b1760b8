// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>

namespace carbide::testing {

/// A line on the terminal, for sweeps that take longer than a second. Gone in the end.
class SweepProgress {
public:
    explicit SweepProgress(std::size_t run_count) noexcept;
    ~SweepProgress();
    SweepProgress(const SweepProgress&) = delete;  // One line.
    SweepProgress& operator=(const SweepProgress&) = delete;

    void show(std::size_t done_count) noexcept;

private:
    using Clock = std::chrono::steady_clock;

    std::size_t run_count_;
    Clock::time_point next_;
    bool has_terminal_;
    bool shown_ = false;
};

}  // namespace carbide::testing
