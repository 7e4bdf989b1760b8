// SPDX-License-Identifier: MIT
#include "platform/pages.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>

#include "carbide/check.hpp"

namespace carbide::platform {
namespace {

/// Leaves the caller's errno as it was: an allocator that fails says so by its result.
class KeepErrno {
public:
    KeepErrno() noexcept : kept_(errno) {}
    ~KeepErrno() { errno = kept_; }
    KeepErrno(const KeepErrno&) = delete;
    KeepErrno& operator=(const KeepErrno&) = delete;

private:
    int kept_;
};

constinit std::atomic<std::size_t> known_page_bytes = 0;

void* map_anywhere(std::size_t size_bytes) noexcept {
    void* const pages =
        mmap(nullptr, size_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return pages == MAP_FAILED ? nullptr : pages;
}

}  // namespace

// Not a static of the function: a signal handler that captures a stack may interrupt its
// initialisation, and the language forbids to begin that again.
std::size_t page_bytes() noexcept {
    std::size_t bytes = known_page_bytes.load(std::memory_order_relaxed);
    if (bytes == 0) [[unlikely]] {
        bytes = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
        known_page_bytes.store(bytes, std::memory_order_relaxed);
    }
    return bytes;
}

std::size_t round_up_to_pages(std::size_t size_bytes) noexcept {
    const std::size_t mask = page_bytes() - 1;
    return size_bytes > SIZE_MAX - mask ? 0 : (size_bytes + mask) & ~mask;
}

void* map_pages(std::size_t size_bytes, std::size_t alignment_bytes) noexcept {
    const KeepErrno keep_errno;
    CARBIDE_ASSERT(size_bytes % page_bytes() == 0);
    if (alignment_bytes <= page_bytes()) return map_anywhere(size_bytes);

    // Map too much, then give back what lies in front of the aligned part and behind it.
    std::size_t mapped_bytes = 0;
    if (__builtin_add_overflow(size_bytes, alignment_bytes - page_bytes(), &mapped_bytes)) {
        return nullptr;
    }
    auto* const mapped = static_cast<std::byte*>(map_anywhere(mapped_bytes));
    if (mapped == nullptr) return nullptr;
    const std::size_t front_bytes =
        -reinterpret_cast<std::uintptr_t>(mapped) & (alignment_bytes - 1);
    const std::size_t behind_bytes = mapped_bytes - front_bytes - size_bytes;
    if (front_bytes != 0) unmap_pages(mapped, front_bytes);
    if (behind_bytes != 0) unmap_pages(mapped + front_bytes + size_bytes, behind_bytes);
    return mapped + front_bytes;
}

void unmap_pages(void* pages, std::size_t size_bytes) noexcept {
    const KeepErrno keep_errno;
    const int failed = munmap(pages, size_bytes);
    // Splitting a mapping may exceed the kernel's count of mappings; the pages then stay mapped.
    CARBIDE_CHECK(failed == 0 || errno == ENOMEM, "pages were freed that are not mapped");
}

bool resize_pages(void* pages, std::size_t old_bytes, std::size_t new_bytes) noexcept {
    const KeepErrno keep_errno;
    if (new_bytes == old_bytes) return true;
    if (new_bytes < old_bytes) {
        return munmap(static_cast<std::byte*>(pages) + new_bytes, old_bytes - new_bytes) == 0;
    }
    return mremap(pages, old_bytes, new_bytes, 0) != MAP_FAILED;
}

void* move_pages(void* pages, std::size_t old_bytes, std::size_t new_bytes) noexcept {
    const KeepErrno keep_errno;
    void* const moved = mremap(pages, old_bytes, new_bytes, MREMAP_MAYMOVE);
    return moved == MAP_FAILED ? nullptr : moved;
}

void* reserve_pages(std::size_t size_bytes) noexcept {
    const KeepErrno keep_errno;
    constexpr int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    void* const pages = mmap(nullptr, size_bytes, PROT_NONE, flags, -1, 0);
    return pages == MAP_FAILED ? nullptr : pages;
}

bool open_pages(void* pages, std::size_t size_bytes) noexcept {
    const KeepErrno keep_errno;
    return mprotect(pages, size_bytes, PROT_READ | PROT_WRITE) == 0;
}

void close_pages(void* pages, std::size_t size_bytes) noexcept {
    const KeepErrno keep_errno;
    // A new mapping in place of the old one: it gives the memory back, and merges with the reserved
    // addresses around it, which mprotect alone would not do.
    constexpr int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED;
    [[maybe_unused]] void* const closed = mmap(pages, size_bytes, PROT_NONE, flags, -1, 0);
}

void purge_pages(void* pages, std::size_t size_bytes) noexcept {
    const KeepErrno keep_errno;
    static_cast<void>(madvise(pages, size_bytes, MADV_DONTNEED));
}

bool protect_pages(void* pages, std::size_t size_bytes) noexcept {
    const KeepErrno keep_errno;
    return mprotect(pages, size_bytes, PROT_NONE) == 0;
}

void want_huge_pages(void* pages, std::size_t size_bytes) noexcept {
    const KeepErrno keep_errno;
    static_cast<void>(madvise(pages, size_bytes, MADV_HUGEPAGE));
}

std::size_t resident_bytes(void* pages, std::size_t size_bytes) noexcept {
    const KeepErrno keep_errno;
    constexpr std::size_t step = 1024;  // Pages.
    unsigned char is_resident[step];
    std::size_t page_count = 0;
    for (std::size_t done = 0; done < size_bytes; done += step * page_bytes()) {
        const std::size_t bytes =
            size_bytes - done < step * page_bytes() ? size_bytes - done : step * page_bytes();
        if (mincore(static_cast<std::byte*>(pages) + done, bytes, is_resident) != 0) continue;
        for (std::size_t i = 0; i < (bytes + page_bytes() - 1) / page_bytes(); ++i) {
            page_count += is_resident[i] & 1;
        }
    }
    return page_count * page_bytes();
}

}  // namespace carbide::platform
