// SPDX-License-Identifier: MIT
#include "platform/message.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

namespace carbide::platform {

Message& Message::text(std::string_view text) noexcept {
    const std::size_t room = capacity - 1 - size_;  // One byte stays for the line end.
    const std::size_t taken = std::min(text.size(), room);
    if (taken != 0) std::memcpy(buffer_ + size_, text.data(), taken);
    size_ += taken;
    return *this;
}

Message& Message::number(std::uintmax_t value) noexcept { return digits(value, 10); }

Message& Message::hexadecimal(std::uintmax_t value) noexcept {
    return text("0x").digits(value, 16);
}

Message& Message::digits(std::uintmax_t value, unsigned base) noexcept {
    char written[20];  // 2^64 has 20 decimal digits.
    const auto end =
        std::to_chars(written, written + sizeof written, value, static_cast<int>(base));
    return text({written, static_cast<std::size_t>(end.ptr - written)});
}

void Message::write_to(int file_descriptor) noexcept {
    const int kept_errno = errno;
    buffer_[size_++] = '\n';
    for (std::size_t done = 0; done < size_;) {
        const ssize_t written = write(file_descriptor, buffer_ + done, size_ - done);
        if (written > 0) {
            done += static_cast<std::size_t>(written);
        } else if (written == 0 || errno != EINTR) {
            break;
        }
    }
    size_ = 0;
    errno = kept_errno;
}

}  // namespace carbide::platform
