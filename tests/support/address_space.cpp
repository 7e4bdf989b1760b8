// SPDX-License-Identifier: MIT
#include "support/address_space.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <system_error>

namespace carbide::tests {
namespace {

// Reads without allocating, since that may map memory itself.
template <class F>
void for_each_part(const char* path, F use) {
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) throw std::system_error(errno, std::generic_category(), path);
    char part[4096];
    for (ssize_t count = 0; (count = read(file, part, sizeof part - 1)) > 0;) {
        part[count] = '\0';
        use(part, part + count);
    }
    close(file);
}

}  // namespace

std::size_t mapped_page_count() {
    std::size_t count = 0;
    for_each_part("/proc/self/statm", [&](const char* begin, const char*) {
        count = std::strtoull(begin, nullptr, 10);
    });
    return count;
}

std::size_t mapping_count() {
    std::size_t count = 0;
    for_each_part("/proc/self/maps", [&](const char* begin, const char* end) {
        count += static_cast<std::size_t>(std::count(begin, end, '\n'));
    });
    return count;
}

}  // namespace carbide::tests
