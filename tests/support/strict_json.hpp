// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

namespace carbide::tests {

/// Whether `text` is one JSON value of RFC 8259 in valid UTF-8, with white space around it.
[[nodiscard]] bool is_strict_json(std::string_view text);

}  // namespace carbide::tests
