// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string_view>

#include "carbide/allocator.hpp"
#include "carbide/annotations.hpp"
#include "document/error.hpp"
#include "document/token.hpp"
#include "document/value.hpp"

namespace json {

/// Builds the tree of values: the grammar of RFC 8259 sections 2 to 5.
///
/// `tokens` are those of `source`, which is needed to say where an error is. Containers may be
/// nested `depth_max` deep. The tree refers to neither of them: it owns copies of its texts.
CARBIDE_CALLER_OWNS DocumentResult<Value*> parse(carbide::Allocator arena, std::string_view source,
                                                 const Tokens& tokens,
                                                 std::size_t depth_max) noexcept;

}  // namespace json
