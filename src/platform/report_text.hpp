// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace carbide::platform {

/// How a report looks.
struct Style {
    bool color = false;
};

/// Colours where `file_descriptor` is a terminal that has them and NO_COLOR is not set.
[[nodiscard]] Style style_for(int file_descriptor) noexcept;

/// A report of many lines. Grows in pages of its own and never calls malloc, so it serves inside an
/// allocator; the first lines need no memory at all. Where pages run out, the text ends with a line
/// that says so. A `Message` is the smaller choice for one line.
class ReportText {
public:
    ReportText() noexcept = default;
    ~ReportText();
    ReportText(const ReportText&) = delete;  // `begin_` points into `this`.
    ReportText& operator=(const ReportText&) = delete;

    ReportText& text(std::string_view text) noexcept;
    ReportText& number(std::uintmax_t value) noexcept;       // 1234567
    ReportText& grouped(std::uintmax_t value) noexcept;      // 1,234,567
    ReportText& hexadecimal(std::uintmax_t value) noexcept;  // 0x12d687
    ReportText& address(const void* pointer) noexcept;

    /// The two digits of a byte, as a dump shows it.
    ReportText& hex_byte(unsigned char byte) noexcept;

    /// "1 byte", "48 bytes", "1.5 MiB (1,572,864 bytes)".
    ReportText& bytes(std::uintmax_t size_bytes) noexcept;

    /// "1 allocation", "4,812 allocations": `noun` takes an s.
    ReportText& count(std::uintmax_t count, std::string_view noun) noexcept;

    /// For a column of a table, with spaces in front up to `width`. What is wider is written whole.
    ReportText& right(std::string_view text, std::size_t width) noexcept;
    ReportText& right_grouped(std::uintmax_t value, std::size_t width) noexcept;  // "    1,234"
    ReportText& right_tenths(std::uintmax_t tenths, std::size_t width) noexcept;  // "  1,234.5"

    [[nodiscard]] std::string_view view() const noexcept { return {begin_, size_bytes_}; }
    [[nodiscard]] bool is_cut() const noexcept { return is_cut_; }

    /// Empty again; keeps its pages.
    void clear() noexcept;

    /// Writes everything, also where that takes several writes; errno stays as it was. Returns 0,
    /// or the errno of the write that failed.
    int write_to(int file_descriptor) const noexcept;

private:
    static constexpr std::string_view cut_mark = "\n[the rest is missing: out of memory]\n";

    bool reserve(std::size_t more_bytes) noexcept;
    void append(std::string_view text) noexcept;

    char first_bytes_[1024];
    char* begin_ = first_bytes_;
    std::size_t size_bytes_ = 0;
    std::size_t capacity_bytes_ = sizeof first_bytes_;  // With room for the mark.
    bool is_cut_ = false;
};

}  // namespace carbide::platform
