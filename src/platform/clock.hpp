// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace carbide::platform {

/// A clock that never goes back, exact to some milliseconds. Costs a few nanoseconds.
[[nodiscard]] std::uint64_t coarse_milliseconds() noexcept;

}  // namespace carbide::platform
