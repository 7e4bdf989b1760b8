// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

/// Between malloc, whoever provides it, and the scopes that forbid it.
namespace carbide::global_allocation {

/// Makes sure that `note_allocation` is called for each global allocation from now on.
void watch_malloc() noexcept;

/// A global allocation was asked for by the caller of the function that this is called from.
[[gnu::noinline]] void note_allocation(std::size_t size_bytes) noexcept;

}  // namespace carbide::global_allocation
