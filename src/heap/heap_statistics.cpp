// SPDX-License-Identifier: MIT
#include "carbide/heap_statistics.hpp"

namespace carbide {

void HeapStatistics::write_to(int, Format) const noexcept {}

}  // namespace carbide
