// SPDX-License-Identifier: MIT
#include "carbide/recent_rounds.hpp"

#include <algorithm>

#include "carbide/check.hpp"

namespace carbide {

std::size_t RecentRounds::percentile_bytes(unsigned percent) const noexcept {
    CARBIDE_CHECK(percent <= 100, "a percentile above 100");
    const std::size_t count = std::min(recorded_, count_max);
    if (count == 0) return 0;
    std::array<std::size_t, count_max> sorted = bytes_;
    std::sort(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(count));
    const std::size_t rank = (count * percent + 99) / 100;  // Rounded up, from 1 to count.
    return sorted[std::max<std::size_t>(rank, 1) - 1];
}

}  // namespace carbide
