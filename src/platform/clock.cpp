// SPDX-License-Identifier: MIT
#include "platform/clock.hpp"

#include <ctime>

namespace carbide::platform {

std::uint64_t coarse_milliseconds() noexcept {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1000 +
           static_cast<std::uint64_t>(now.tv_nsec) / 1'000'000;
}

}  // namespace carbide::platform
