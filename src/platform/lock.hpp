// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>

#if __has_include(<sys/single_threaded.h>) && !defined(__SANITIZE_THREAD__)
#include <sys/single_threaded.h>
#define CARBIDE_KNOWS_SINGLE_THREADED 1
#else
#define CARBIDE_KNOWS_SINGLE_THREADED 0
#endif

namespace carbide::platform {

/// True only while this process has never had a second thread. glibc keeps the flag; elsewhere the
/// answer is always false. (ThreadSanitizer is not told, so that it sees the locks.)
[[nodiscard]] inline bool is_single_threaded() noexcept {
#if CARBIDE_KNOWS_SINGLE_THREADED
    return __libc_single_threaded != 0;
#else
    return false;
#endif
}

/// A mutex of 4 bytes: one exchange to take it and one to give it back where nobody waits, and the
/// kernel where somebody does. Needs no destructor, so it may lie in mapped memory.
class Lock {
public:
    void lock() noexcept {
        if (!try_lock()) lock_slowly();
    }
    [[nodiscard]] bool try_lock() noexcept {
        std::uint32_t expected = free_state;
        return state_.compare_exchange_strong(expected, held, std::memory_order_acquire,
                                              std::memory_order_relaxed);
    }
    void unlock() noexcept {
        if (state_.exchange(free_state, std::memory_order_release) == awaited) state_.notify_one();
    }

private:
    static constexpr std::uint32_t free_state = 0;
    static constexpr std::uint32_t held = 1;
    static constexpr std::uint32_t awaited = 2;  // Held, and somebody may sleep.

    [[gnu::noinline]] void lock_slowly() noexcept {
        for (int spin = 0; spin < 64; ++spin) {
            if (state_.load(std::memory_order_relaxed) == free_state && try_lock()) return;
#if defined(__x86_64__)
            __builtin_ia32_pause();
#endif
        }
        while (state_.exchange(awaited, std::memory_order_acquire) != free_state) {
            state_.wait(awaited, std::memory_order_relaxed);
        }
    }

    std::atomic<std::uint32_t> state_ = free_state;
};

}  // namespace carbide::platform
