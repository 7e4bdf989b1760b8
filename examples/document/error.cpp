// SPDX-License-Identifier: MIT
#include "document/error.hpp"

#include "carbide/check.hpp"
#include "document/utf8.hpp"

namespace json {
namespace {

bool is_hexadecimal_digit(char byte) noexcept {
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'f') ||
           (byte >= 'A' && byte <= 'F');
}

// The escape sequence at the front of `rest`, which starts with a backslash, as far as it goes.
std::string_view escape_sequence(std::string_view rest) noexcept {
    std::size_t size_bytes = 1;
    if (rest.size() > 1 && rest[1] == 'u') {
        size_bytes = 2;
        while (size_bytes < 6 && size_bytes < rest.size() &&
               is_hexadecimal_digit(rest[size_bytes])) {
            ++size_bytes;
        }
    }
    return rest.substr(0, size_bytes);
}

}  // namespace

Position position_of(std::string_view source, const char* at) noexcept {
    const auto offset_bytes = static_cast<std::size_t>(at - source.data());
    CARBIDE_ASSERT(offset_bytes <= source.size());

    Position position{1, 1};
    std::size_t i = source.starts_with("\xEF\xBB\xBF") && offset_bytes >= 3 ? 3 : 0;
    for (; i < offset_bytes; ++i) {
        const char byte = source[i];
        const bool line_ends =
            byte == '\n' || (byte == '\r' && (i + 1 == source.size() || source[i + 1] != '\n'));
        if (line_ends) {
            position = {position.line + 1, 1};
        } else if ((static_cast<unsigned char>(byte) & 0xC0) != 0x80) {
            ++position.column;  // Continuation bytes belong to the character before them.
        }
    }
    return position;
}

DocumentError DocumentError::syntax(Position position, std::string_view expected,
                                    const Found& found) noexcept {
    DocumentError error(Kind::syntax);
    error.position = position;
    error.expected = expected;
    error.found = found;
    return error;
}

DocumentError DocumentError::too_deep(Position position, std::size_t depth_max) noexcept {
    DocumentError error(Kind::too_deep);
    error.position = position;
    error.depth_max = depth_max;
    return error;
}

DocumentError DocumentError::malformed_pointer(std::size_t pointer_index,
                                               std::string_view expected) noexcept {
    DocumentError error(Kind::malformed_pointer);
    error.pointer_index = pointer_index;
    error.expected = expected;
    return error;
}

DocumentError::Message DocumentError::message() const noexcept {
    Message text;
    if (kind == Kind::syntax || kind == Kind::too_deep) {
        text.append("line ").append_number(position.line);
        text.append(", column ").append_number(position.column).append(": ");
    }
    switch (kind) {
        case Kind::out_of_memory:
            text.append(carbide::OutOfMemory::message());
            break;
        case Kind::syntax:
            text.append("expected ").append(expected).append(", found ").append(found.view());
            break;
        case Kind::too_deep:
            text.append("nested deeper than ").append_number(depth_max).append(" levels");
            break;
        case Kind::malformed_pointer:
            text.append("JSON Pointer ").append_number(pointer_index + 1);
            text.append(" is malformed: expected ").append(expected);
            break;
    }
    return text;
}

DocumentError::Found describe_character(std::string_view rest) noexcept {
    DocumentError::Found text;
    if (rest.empty()) return text.append("end of file");
    switch (rest[0]) {
        case '\n':
        case '\r':
            return text.append("a line break");
        case '\t':
            return text.append("a tab");
        case ' ':
            return text.append("a space");
        case '\'':
            return text.append("a single quote");
        case '\\':
            return text.append("'").append(escape_sequence(rest)).append("'");
        default:
            break;
    }
    const Utf8Character character = decode_utf8(rest);
    if (character.size_bytes == 0) {
        return text.append("byte 0x").append_hexadecimal(static_cast<unsigned char>(rest[0]), 2);
    }
    if (!is_visible(character.code_point)) {
        return text.append("U+").append_hexadecimal(character.code_point, 4);
    }
    return text.append("'").append(rest.substr(0, character.size_bytes)).append("'");
}

}  // namespace json
