// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

namespace carbide::platform {

/// What is known of the running thread's own stack, kept per thread so that each of its pages is
/// probed once. Zeros are right at first.
struct OwnStack {
    std::uintptr_t begin = 0;  // Pages from here to `end` can be read. 0: nothing probed yet.
    std::uintptr_t end = 0;
    bool is_begin_final = false;  // The page below cannot be read.

    enum class Thread : std::uint8_t { not_asked, main, other };
    Thread thread = Thread::not_asked;
};

/// The part of a stack that can be read without a fault: from a stack pointer outwards. Grows as
/// far as it is asked.
///
/// The main thread's stack ends where the program's arguments begin, another thread's where the
/// thread's control block is; neither takes memory or a lock to find. On any other stack, that of
/// a coroutine or a signal handler, each page is asked of the kernel, for it may end anywhere.
class ReadableStack {
public:
    [[nodiscard]] static ReadableStack from(std::uintptr_t stack_pointer, OwnStack& own) noexcept;

    [[nodiscard]] bool is_own() const noexcept { return is_own_; }

    /// Whether the word at `address` can be read. It must not be below the stack pointer.
    [[nodiscard]] bool can_read(std::uintptr_t address) noexcept {
        return is_known(address) || extend(address);
    }

    /// The same without asking the kernel: false where that has not been found out.
    [[nodiscard]] bool is_known(std::uintptr_t address) const noexcept {
        return address <= end_ - sizeof(std::uintptr_t);
    }

private:
    ReadableStack(std::uintptr_t end, bool is_own) noexcept : end_(end), is_own_(is_own) {}

    bool extend(std::uintptr_t address) noexcept;

    std::uintptr_t end_;
    bool is_own_;
};

/// Whether the page can be read; asks the kernel. Leaves errno changed.
[[nodiscard]] bool is_readable(std::uintptr_t address) noexcept;

}  // namespace carbide::platform
