// SPDX-License-Identifier: MIT
#include "demo/source_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>

#include "carbide/defer.hpp"
#include "carbide/try.hpp"

namespace demo {
namespace {

constexpr std::size_t file_bytes_max = std::size_t{1} << 30;

// A first guess: what the file says of its own size, and a byte more, to see its end by.
std::size_t guess_bytes(int file) noexcept {
    constexpr std::size_t guess_bytes_min = 4096;
    struct stat status{};
    if (fstat(file, &status) != 0 || status.st_size <= 0) return guess_bytes_min;
    const auto size_bytes = static_cast<std::size_t>(status.st_size);
    return std::clamp(size_bytes, guess_bytes_min, file_bytes_max) + 1;
}

}  // namespace

FileError::FileError(carbide::OutOfMemory) noexcept : error_number(ENOMEM) {}

carbide::Result<carbide::OwnedSlice<char>, FileError> read_file(carbide::Allocator backing,
                                                                const char* path) noexcept {
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return std::unexpected(FileError(errno));
    const auto close_file = carbide::defer([file] { close(file); });

    auto content = CARBIDE_TRY(carbide::make_owned_slice<char>(backing, guess_bytes(file)));
    std::size_t size_bytes = 0;
    for (;;) {
        if (size_bytes == content.size()) CARBIDE_TRY(content.realloc(2 * size_bytes));
        const ssize_t got = read(file, content.data() + size_bytes, content.size() - size_bytes);
        if (got == 0) break;
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return std::unexpected(FileError(errno));
        size_bytes += static_cast<std::size_t>(got);
        if (size_bytes > file_bytes_max) return std::unexpected(FileError(EFBIG));
    }
    CARBIDE_TRY(content.realloc(size_bytes));
    return content;
}

}  // namespace demo
