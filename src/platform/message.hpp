// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace carbide::platform {

/// One line for standard error, built in a fixed buffer and written with one write(2). Allocates
/// nothing, so it serves inside an allocator and after memory has run out. Too long a line is cut.
class Message {
public:
    Message& text(std::string_view text) noexcept;
    Message& number(std::uintmax_t value) noexcept;
    Message& hexadecimal(std::uintmax_t value) noexcept;

    /// Ends the line and writes it, leaving errno as it was.
    void write_to(int file_descriptor) noexcept;

    [[nodiscard]] std::string_view view() const noexcept { return {buffer_, size_}; }

private:
    static constexpr std::size_t capacity = 512;

    Message& digits(std::uintmax_t value, unsigned base) noexcept;

    char buffer_[capacity];
    std::size_t size_ = 0;
};

}  // namespace carbide::platform
