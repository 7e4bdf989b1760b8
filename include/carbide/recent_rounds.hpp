// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>

namespace carbide {

/// What the last few rounds of some repeated work needed, and a percentile of it.
///
/// Cost           72 bytes; `percentile_bytes` sorts at most eight numbers.
class RecentRounds {
public:
    static constexpr std::size_t count_max = 8;

    void record(std::size_t needed_bytes) noexcept {
        bytes_[recorded_ % count_max] = needed_bytes;
        ++recorded_;
    }

    /// The smallest recorded need that at least `percent` of the recorded rounds stayed within;
    /// 0 where nothing is recorded. With 80, one worst round of eight does not count.
    [[nodiscard]] std::size_t percentile_bytes(unsigned percent) const noexcept;

private:
    std::array<std::size_t, count_max> bytes_{};
    std::size_t recorded_ = 0;
};

}  // namespace carbide
