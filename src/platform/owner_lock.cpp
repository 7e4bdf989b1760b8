// SPDX-License-Identifier: MIT
#include "platform/owner_lock.hpp"

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <ctime>

namespace carbide::platform {
namespace {

constexpr unsigned process_shift = 32;

std::uint64_t running_thread() noexcept {
    // Asked every time: a cached id would be the parent's in a child that was forked behind the
    // C library's back.
    return std::uint64_t{static_cast<std::uint32_t>(getpid())} << process_shift |
           static_cast<std::uint32_t>(gettid());
}

// Yields at first; a waiter of higher real-time priority has to sleep for the owner to go on.
void wait(unsigned attempt) noexcept {
    if (attempt < 100) {
        sched_yield();
        return;
    }
    const timespec pause{.tv_sec = 0, .tv_nsec = 50'000};
    syscall(SYS_nanosleep, &pause, nullptr);  // The function is a cancellation point.
}

}  // namespace

bool OwnerLock::lock() noexcept {
    const std::uint64_t self = running_thread();
    for (unsigned attempt = 0;; ++attempt) {
        std::uint64_t owner = owner_.load(std::memory_order_relaxed);
        if (owner == self) return false;
        const bool owner_runs = owner != 0 && owner >> process_shift == self >> process_shift;
        if (owner_runs) {
            wait(attempt);
        } else if (owner_.compare_exchange_weak(owner, self, std::memory_order_acquire,
                                                std::memory_order_relaxed)) {
            return true;
        }
    }
}

void OwnerLock::unlock() noexcept { owner_.store(0, std::memory_order_release); }

}  // namespace carbide::platform
