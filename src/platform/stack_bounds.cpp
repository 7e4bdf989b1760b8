// SPDX-License-Identifier: MIT
#include "platform/stack_bounds.hpp"

#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "platform/pages.hpp"

#ifdef __GLIBC__
// Set by the dynamic linker, or by a static program's start code, to where `main` was started from.
// NOLINTNEXTLINE(bugprone-reserved-identifier, readability-identifier-naming)
extern "C" void* __libc_stack_end;
#endif

namespace carbide::platform {
namespace {

// The kernel keeps at least this much below the main stack free of other mappings, so that what
// lies there is that stack. One that grows further is treated as an unknown one.
constexpr std::uintptr_t main_stack_bytes = std::uintptr_t{120} << 20;

// Stacks that are larger are treated as unknown ones, page by page.
constexpr std::uintptr_t thread_stack_bytes_max = std::uintptr_t{1} << 30;

// Between one frame and the next on an unknown stack: 16 MiB in pages of 4 KiB.
constexpr unsigned probe_count_max = 4096;

std::uintptr_t page_of(std::uintptr_t address) noexcept { return address & ~(page_bytes() - 1); }

std::uintptr_t main_stack_end() noexcept {
#ifdef __GLIBC__
    return reinterpret_cast<std::uintptr_t>(__libc_stack_end);
#else
    return 0;
#endif
}

// The C library puts the control block at the end of the stack, behind thread-local variables, so
// whatever can be read in between belongs to the stack or ends it.
// That of the main thread is elsewhere, beside mappings of anybody.
bool reaches_control_block(std::uintptr_t stack_pointer, OwnStack& own) noexcept {
    using Thread = OwnStack::Thread;
    if (own.thread == Thread::not_asked) {
        own.thread = gettid() == getpid() ? Thread::main : Thread::other;
    }
    if (own.thread == Thread::main) return false;
    const auto control_block = static_cast<std::uintptr_t>(pthread_self());
    if (stack_pointer >= control_block || control_block - stack_pointer > thread_stack_bytes_max) {
        return false;
    }
    if (own.begin == 0) own.begin = page_of(control_block);
    while (!own.is_begin_final && stack_pointer < own.begin) {
        if (is_readable(own.begin - page_bytes())) {
            own.begin -= page_bytes();
        } else {
            own.is_begin_final = true;
        }
    }
    own.end = control_block;
    return stack_pointer >= own.begin;
}

}  // namespace

bool is_readable(std::uintptr_t address) noexcept {
    // The kernel copies the signal set before it refuses the unknown first argument.
    constexpr int nothing_to_do = -1;
    if (page_of(address) == 0) return false;  // No signal set; and never mapped.
    const long result = syscall(SYS_rt_sigprocmask, nothing_to_do, page_of(address), nullptr,
                                sizeof(std::uint64_t));
    return !(result == -1 && errno == EFAULT);
}

ReadableStack ReadableStack::from(std::uintptr_t stack_pointer, OwnStack& own) noexcept {
    const std::uintptr_t main_end = main_stack_end();
    if (stack_pointer < main_end && main_end - stack_pointer <= main_stack_bytes) {
        return {main_end, true};
    }
    if (reaches_control_block(stack_pointer, own)) return {own.end, true};
    return {page_of(stack_pointer), false};
}

bool ReadableStack::extend(std::uintptr_t address) noexcept {
    if (is_own_ || address - end_ > probe_count_max * page_bytes()) return false;
    while (end_ <= address && is_readable(end_)) end_ += page_bytes();
    return is_known(address);
}

}  // namespace carbide::platform
