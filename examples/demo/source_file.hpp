// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "carbide/allocator.hpp"
#include "carbide/owned_slice.hpp"
#include "carbide/result.hpp"

namespace demo {

/// Why a file could not be read: an errno value. Out of memory is one as well.
struct FileError {
    int error_number;

    FileError(carbide::OutOfMemory) noexcept;  // NOLINT(google-explicit-constructor)
    explicit FileError(int number) noexcept : error_number(number) {}
};

/// The content of a file, a pipe or a device. What is larger than 1 GiB is refused.
[[nodiscard]] carbide::Result<carbide::OwnedSlice<char>, FileError> read_file(
    carbide::Allocator backing, const char* path) noexcept;

/// A JSON file that was read.
struct SourceFile {
    std::string_view path;  // As it was given.
    carbide::OwnedSlice<char> content;

    [[nodiscard]] std::string_view text() const noexcept {
        return {content.data(), content.size()};
    }

    /// The path without its folders.
    [[nodiscard]] std::string_view name() const noexcept {
        return path.substr(path.find_last_of('/') + 1);
    }
};

}  // namespace demo
