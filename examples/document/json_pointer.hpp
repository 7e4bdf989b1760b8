// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string_view>

#include "document/value.hpp"

/// JSON Pointer: RFC 6901.
namespace json {

/// What should stand where the pointer is malformed; empty where it is good.
[[nodiscard]] std::string_view check_pointer(std::string_view pointer) noexcept;

enum class PointerOutcome : std::uint8_t {
    found,
    no_such_member,   // The object has no member of that name.
    no_such_element,  // The array has fewer elements. "-" names the one behind the last.
    not_an_index,     // Neither 0 nor a number without leading zeros, in an array.
    not_a_container,  // A string, number or literal has no children.
};

struct PointerTarget {
    PointerOutcome outcome;
    const Value* value;         // What was found, or where the search ended.
    std::string_view resolved;  // The front of the pointer that leads to `value`.
};

/// Follows a good pointer. Of several members with one name the last counts.
[[nodiscard]] PointerTarget resolve_pointer(const Value& root, std::string_view pointer) noexcept;

/// Why nothing was found, as in "it has no member of that name".
[[nodiscard]] std::string_view reason_of(PointerOutcome outcome) noexcept;

}  // namespace json
