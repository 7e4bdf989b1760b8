// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "carbide/allocator.hpp"
#include "carbide/annotations.hpp"
#include "document/value.hpp"

namespace json {

/// A value as JSON text without spaces. Numbers stay as they were written; in strings only what
/// must be escaped is.
CARBIDE_CALLER_OWNS carbide::Result<std::string_view> write_json(carbide::Allocator arena,
                                                                 const Value& root) noexcept;

}  // namespace json
