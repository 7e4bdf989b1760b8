// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <span>
#include <string_view>

#include "carbide/allocator.hpp"
#include "carbide/annotations.hpp"
#include "carbide/result.hpp"
#include "carbide/try.hpp"

namespace examples {

// A fixed buffer serves where the maximum is known. But the function that formats must not have
// it: what it returns would lie in its own stack frame, which ends with the return. So the caller
// has the buffer, and passes the allocator on it.

// [snippet:format_message]
/// "Hello, NAME!"
CARBIDE_CALLER_OWNS inline carbide::Result<std::span<char>> format_message(
    carbide::Allocator allocator, std::string_view name) {
    constexpr std::string_view greeting = "Hello, ";
    const std::span<char> message =
        CARBIDE_TRY(allocator.alloc<char>(greeting.size() + name.size() + 1));
    const auto name_begin = std::ranges::copy(greeting, message.begin()).out;
    *std::ranges::copy(name, name_begin).out = '!';
    return message;
}
// [/snippet:format_message]

}  // namespace examples
