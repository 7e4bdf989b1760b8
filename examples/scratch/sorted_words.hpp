// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string_view>

#include "carbide/allocator.hpp"
#include "carbide/annotations.hpp"
#include "carbide/result.hpp"

namespace examples {

/// The words of a text in order, with a blank between two.
CARBIDE_CALLER_OWNS carbide::Result<std::span<char>> sorted_words(carbide::Allocator allocator,
                                                                  std::string_view text);

}  // namespace examples
