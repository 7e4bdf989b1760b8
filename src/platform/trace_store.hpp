// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace carbide::platform {

struct WalkedStack;

/// The id of the trace with these frames, which is added where it is new; equal frames have equal
/// ids unless their code was unloaded in between. 0: no frames, no memory, or this thread was
/// interrupted while it added another one.
[[nodiscard]] std::uint32_t intern(const WalkedStack& stack) noexcept;

}  // namespace carbide::platform
