// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string_view>

#include "carbide/out_of_memory.hpp"
#include "carbide/result.hpp"
#include "document/fixed_text.hpp"

namespace json {

/// Where something stands in a text. Both count from 1; a column is a UTF-8 character.
struct Position {
    std::size_t line = 0;
    std::size_t column = 0;

    friend bool operator==(Position, Position) noexcept = default;
};

/// The position of the byte at `at`, which lies in `source` or at its end. A line ends with LF,
/// CR LF or CR. A byte order mark at the beginning counts as no column.
[[nodiscard]] Position position_of(std::string_view source, const char* at) noexcept;

/// Why a document could not be processed. Holds its texts itself, so it outlives the source and
/// needs no memory, in particular not when there is none.
///
/// It is made from `OutOfMemory`, so that `CARBIDE_TRY` carries the error of an allocation through
/// functions that fail in other ways, too.
class DocumentError {
public:
    enum class Kind {
        out_of_memory,
        syntax,             // The source is not JSON: `position`, `expected` and `found` say why.
        too_deep,           // Nested deeper than `DocumentOptions::depth_max`, at `position`.
        malformed_pointer,  // `DocumentOptions::pointers[pointer_index]` is no JSON Pointer.
    };

    using Found = FixedText<32>;
    using Message = FixedText<256>;

    DocumentError(carbide::OutOfMemory) noexcept  // NOLINT(google-explicit-constructor)
        : kind(Kind::out_of_memory) {}

    /// `expected` is a literal, or lives as long.
    [[nodiscard]] static DocumentError syntax(Position position, std::string_view expected,
                                              const Found& found) noexcept;
    [[nodiscard]] static DocumentError too_deep(Position position, std::size_t depth_max) noexcept;
    [[nodiscard]] static DocumentError malformed_pointer(std::size_t pointer_index,
                                                         std::string_view expected) noexcept;

    /// One line without a file name: "line 3, column 14: expected ',' or '}' after a member,
    /// found 'x'".
    [[nodiscard]] Message message() const noexcept;

    Kind kind;
    Position position{};
    std::string_view expected{};
    Found found{};
    std::size_t depth_max = 0;
    std::size_t pointer_index = 0;

private:
    explicit DocumentError(Kind error_kind) noexcept : kind(error_kind) {}
};

/// What every step of the pipeline returns.
template <class T>
using DocumentResult = carbide::Result<T, DocumentError>;

/// Names the character at the front of `rest` for a message: `'x'`, `a tab`, `end of file`,
/// `U+200B`, `byte 0xFF`.
[[nodiscard]] DocumentError::Found describe_character(std::string_view rest) noexcept;

}  // namespace json
