// SPDX-License-Identifier: MIT
#include "resident.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstring>

namespace bench::heaps {
namespace {

// The file's beginning, which holds what we look for.
class FileStart {
public:
    explicit FileStart(const char* path) {
        const int file = open(path, O_RDONLY | O_CLOEXEC);
        if (file < 0) return;
        std::size_t used = 0;
        ssize_t count = 0;
        while (used + 1 < text_.size() &&
               (count = read(file, text_.data() + used, text_.size() - 1 - used)) > 0) {
            used += static_cast<std::size_t>(count);
        }
        close(file);
    }

    // The number behind `label`, in KiB; 0 where it is missing.
    [[nodiscard]] std::size_t kib(const char* label) const {
        const char* const found = std::strstr(text_.data(), label);
        return found == nullptr ? 0 : std::strtoul(found + std::strlen(label), nullptr, 10);
    }
    [[nodiscard]] const char* text() const { return text_.data(); }

private:
    std::array<char, 4096> text_{};
};

}  // namespace

std::size_t resident_bytes() {
    // Walks the page tables. The counters behind statm are summed up from those of each CPU, and
    // off by up to a quarter of a MiB, which is a tenth of the small workloads.
    const std::size_t exact_kib = FileStart("/proc/self/smaps_rollup").kib("\nRss:");
    if (exact_kib != 0) return exact_kib << 10;
    const FileStart pages("/proc/self/statm");
    const char* const behind_first = std::strchr(pages.text(), ' ');
    if (behind_first == nullptr) return 0;
    return std::strtoul(behind_first, nullptr, 10) * static_cast<std::size_t>(getpagesize());
}

std::size_t resident_bytes_max() { return FileStart("/proc/self/status").kib("VmHWM:") << 10; }

}  // namespace bench::heaps
