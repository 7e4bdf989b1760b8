// SPDX-License-Identifier: MIT
#include "platform/report_text.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>

#include "platform/pages.hpp"

namespace carbide::platform {
namespace {

constexpr int patience_ms = 1000;

// A reader of a non-blocking pipe that is slow gets time; one that is gone does not.
bool wait_until_writable(int file_descriptor) noexcept {
    pollfd waited{file_descriptor, POLLOUT, 0};
    return poll(&waited, 1, patience_ms) > 0 && (waited.revents & POLLOUT) != 0;
}

// The digits of a number, in threes.
class Grouped {
public:
    explicit Grouped(std::uintmax_t value) noexcept {
        unsigned count = 0;
        do {
            if (count != 0 && count % 3 == 0) *--first_ = ',';
            *--first_ = static_cast<char>('0' + value % 10);
            value /= 10;
            ++count;
        } while (value != 0);
    }

    [[nodiscard]] std::string_view view() const noexcept {
        return {first_, static_cast<std::size_t>(digits_ + sizeof digits_ - first_)};
    }

private:
    char digits_[26];  // 20 and 6 commas.
    char* first_ = digits_ + sizeof digits_;
};

}  // namespace

Style style_for(int file_descriptor) noexcept {
    const int kept_errno = errno;
    const char* const no_color = std::getenv("NO_COLOR");
    const char* const terminal = std::getenv("TERM");
    const bool wanted = no_color == nullptr || *no_color == '\0';
    const bool able = terminal != nullptr && std::strcmp(terminal, "dumb") != 0;
    const bool color = wanted && able && isatty(file_descriptor) == 1;
    errno = kept_errno;
    return {.color = color};
}

ReportText::~ReportText() {
    if (begin_ != first_bytes_) unmap_pages(begin_, capacity_bytes_);
}

ReportText& ReportText::text(std::string_view text) noexcept {
    if (is_cut_) return *this;
    if (reserve(text.size())) {
        append(text);
        return *this;
    }
    append(text.substr(0, capacity_bytes_ - cut_mark.size() - size_bytes_));
    append(cut_mark);
    is_cut_ = true;
    return *this;
}

ReportText& ReportText::number(std::uintmax_t value) noexcept {
    char digits[20];  // 2^64 has 20.
    const auto end = std::to_chars(digits, digits + sizeof digits, value);
    return text({digits, static_cast<std::size_t>(end.ptr - digits)});
}

ReportText& ReportText::grouped(std::uintmax_t value) noexcept {
    return text(Grouped(value).view());
}

ReportText& ReportText::hexadecimal(std::uintmax_t value) noexcept {
    char digits[16];
    const auto end = std::to_chars(digits, digits + sizeof digits, value, 16);
    return text("0x").text({digits, static_cast<std::size_t>(end.ptr - digits)});
}

ReportText& ReportText::address(const void* pointer) noexcept {
    return hexadecimal(reinterpret_cast<std::uintptr_t>(pointer));
}

ReportText& ReportText::hex_byte(unsigned char byte) noexcept {
    constexpr std::string_view digits = "0123456789abcdef";
    const char both[] = {digits[byte >> 4], digits[byte & 15]};
    return text({both, sizeof both});
}

ReportText& ReportText::bytes(std::uintmax_t size_bytes) noexcept {
    constexpr std::string_view units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    if (size_bytes < 1024) return count(size_bytes, "byte");

    std::uintmax_t unit_bytes = 1024;
    std::size_t unit = 0;
    const auto tenths = [&] {
        return size_bytes / unit_bytes * 10 +
               (size_bytes % unit_bytes * 10 + unit_bytes / 2) / unit_bytes;
    };
    while (tenths() >= 10240 && unit + 1 < std::size(units)) {
        unit_bytes *= 1024;
        ++unit;
    }
    grouped(tenths() / 10);
    if (tenths() % 10 != 0) text(".").number(tenths() % 10);
    return text(" ").text(units[unit]).text(" (").grouped(size_bytes).text(" bytes)");
}

ReportText& ReportText::count(std::uintmax_t count, std::string_view noun) noexcept {
    return grouped(count).text(" ").text(noun).text(count == 1 ? "" : "s");
}

ReportText& ReportText::right(std::string_view cell, std::size_t width) noexcept {
    for (std::size_t size = cell.size(); size < width; ++size) text(" ");
    return text(cell);
}

ReportText& ReportText::right_grouped(std::uintmax_t value, std::size_t width) noexcept {
    return right(Grouped(value).view(), width);
}

ReportText& ReportText::right_tenths(std::uintmax_t tenths, std::size_t width) noexcept {
    constexpr std::size_t fraction_size = 2;
    right_grouped(tenths / 10, width - std::min(width, fraction_size));
    return text(".").number(tenths % 10);
}

void ReportText::clear() noexcept {
    size_bytes_ = 0;
    is_cut_ = false;
}

int ReportText::write_to(int file_descriptor) const noexcept {
    const int kept_errno = errno;
    int error = 0;
    for (std::size_t done = 0; done < size_bytes_ && error == 0;) {
        const ssize_t written = write(file_descriptor, begin_ + done, size_bytes_ - done);
        if (written > 0) {
            done += static_cast<std::size_t>(written);
        } else if (written < 0 && errno == EAGAIN) {
            if (!wait_until_writable(file_descriptor)) error = EAGAIN;
        } else if (written == 0 || errno != EINTR) {
            error = written == 0 ? EIO : errno;
        }
    }
    errno = kept_errno;
    return error;
}

// The mark must fit behind whatever is appended, so it counts as used.
bool ReportText::reserve(std::size_t more_bytes) noexcept {
    const std::size_t used_bytes = size_bytes_ + cut_mark.size();
    if (more_bytes <= capacity_bytes_ - used_bytes) return true;
    if (more_bytes > SIZE_MAX - used_bytes) return false;
    const std::size_t new_bytes =
        round_up_to_pages(std::max(used_bytes + more_bytes, 2 * capacity_bytes_));
    if (new_bytes == 0) return false;

    void* grown = nullptr;
    if (begin_ == first_bytes_) {
        grown = map_pages(new_bytes, 1);
        if (grown != nullptr) std::memcpy(grown, first_bytes_, size_bytes_);
    } else {
        grown = move_pages(begin_, capacity_bytes_, new_bytes);
    }
    if (grown == nullptr) return false;
    begin_ = static_cast<char*>(grown);
    capacity_bytes_ = new_bytes;
    return true;
}

void ReportText::append(std::string_view text) noexcept {
    if (!text.empty()) std::memcpy(begin_ + size_bytes_, text.data(), text.size());
    size_bytes_ += text.size();
}

}  // namespace carbide::platform
