// SPDX-License-Identifier: MIT
#include "testing/sweep_progress.hpp"

#include <unistd.h>

#include <cstdio>

namespace carbide::testing {
namespace {

constexpr std::chrono::seconds patience{1};
constexpr std::chrono::milliseconds interval{100};

}  // namespace

SweepProgress::SweepProgress(std::size_t run_count) noexcept
    : run_count_(run_count),
      next_(Clock::now() + patience),
      has_terminal_(isatty(STDERR_FILENO) != 0) {}

SweepProgress::~SweepProgress() {
    if (shown_) std::fputs("\r\033[K", stderr);
}

void SweepProgress::show(std::size_t done_count) noexcept {
    if (!has_terminal_) return;
    const Clock::time_point now = Clock::now();
    if (now < next_) return;
    next_ = now + interval;
    shown_ = true;
    std::fprintf(stderr, "\r\033[K  out of memory at %zu of %zu points", done_count, run_count_);
    std::fflush(stderr);
}

}  // namespace carbide::testing
