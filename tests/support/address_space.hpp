// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

namespace carbide::tests {

/// Pages of address space that this process has mapped: the first number of /proc/self/statm.
[[nodiscard]] std::size_t mapped_page_count();

/// Mappings that this process has: the lines of /proc/self/maps.
[[nodiscard]] std::size_t mapping_count();

}  // namespace carbide::tests
