// SPDX-License-Identifier: MIT
#include "document/json_pointer.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>

#include "document/utf8.hpp"

namespace json {
namespace {

// Compares without decoding: "~1" stands for '/', "~0" for '~'.
bool names(std::string_view reference, std::string_view key) noexcept {
    std::size_t i = 0;
    for (const char byte : key) {
        if (i == reference.size()) return false;
        char wanted = reference[i++];
        if (wanted == '~') wanted = reference[i++] == '1' ? '/' : '~';
        if (wanted != byte) return false;
    }
    return i == reference.size();
}

PointerTarget find_member(const Value& object, std::string_view reference) noexcept {
    const Value* last = nullptr;
    for (const Value* member = object.first_child; member != nullptr; member = member->next) {
        if (names(reference, member->key)) last = member;
    }
    if (last == nullptr) return {PointerOutcome::no_such_member, &object, {}};
    return {PointerOutcome::found, last, {}};
}

bool is_index(std::string_view reference) noexcept {
    if (reference.empty() || (reference[0] == '0' && reference.size() > 1)) return false;
    return reference.find_first_not_of("0123456789") == std::string_view::npos;
}

PointerTarget find_element(const Value& array, std::string_view reference) noexcept {
    if (reference == "-") return {PointerOutcome::no_such_element, &array, {}};
    if (!is_index(reference)) return {PointerOutcome::not_an_index, &array, {}};

    std::size_t index = 0;
    const char* const begin = reference.data();
    const bool fits = std::from_chars(begin, begin + reference.size(), index).ec == std::errc{};
    const Value* element = fits ? array.first_child : nullptr;
    for (; element != nullptr && index > 0; --index) element = element->next;
    if (element == nullptr) return {PointerOutcome::no_such_element, &array, {}};
    return {PointerOutcome::found, element, {}};
}

PointerTarget find_child(const Value& value, std::string_view reference) noexcept {
    if (value.kind == ValueKind::object) return find_member(value, reference);
    if (value.kind == ValueKind::array) return find_element(value, reference);
    return {PointerOutcome::not_a_container, &value, {}};
}

}  // namespace

std::string_view check_pointer(std::string_view pointer) noexcept {
    if (!pointer.empty() && pointer[0] != '/') return "'/' at its beginning";
    for (std::size_t i = 0; i < pointer.size(); ++i) {
        if (pointer[i] != '~') continue;
        const bool good =
            i + 1 < pointer.size() && (pointer[i + 1] == '0' || pointer[i + 1] == '1');
        if (!good) return "'0' or '1' after '~'";
    }
    return is_valid_utf8(pointer) ? std::string_view() : "valid UTF-8";
}

PointerTarget resolve_pointer(const Value& root, std::string_view pointer) noexcept {
    PointerTarget target{PointerOutcome::found, &root, pointer.substr(0, 0)};
    while (target.resolved.size() < pointer.size()) {
        const std::size_t begin = target.resolved.size() + 1;  // Behind the '/'.
        const std::size_t end = std::min(pointer.find('/', begin), pointer.size());
        const PointerTarget child = find_child(*target.value, pointer.substr(begin, end - begin));
        if (child.outcome != PointerOutcome::found) {
            return {child.outcome, target.value, target.resolved};
        }
        target = {PointerOutcome::found, child.value, pointer.substr(0, end)};
    }
    return target;
}

std::string_view reason_of(PointerOutcome outcome) noexcept {
    switch (outcome) {
        case PointerOutcome::found:
            return "it was found";
        case PointerOutcome::no_such_member:
            return "it has no member of that name";
        case PointerOutcome::no_such_element:
            return "it has no element of that index";
        case PointerOutcome::not_an_index:
            return "an index is 0 or a number without leading zeros";
        case PointerOutcome::not_a_container:
            return "it has no members or elements";
    }
    return {};
}

}  // namespace json
