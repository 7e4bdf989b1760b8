// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>

namespace carbide::platform {

/// A lock that knows its owner, for short work that may be interrupted anywhere: by a signal
/// handler that wants the same lock, or by another thread's fork.
///
/// What it protects must be consistent after every single store, because a child process takes
/// the lock over from a thread that it has not got.
class OwnerLock {
public:
    constexpr OwnerLock() noexcept = default;

    /// False: this thread holds it already, so a signal handler asks.
    [[nodiscard]] bool lock() noexcept;
    void unlock() noexcept;

private:
    std::atomic<std::uint64_t> owner_ = 0;  // Process and thread; 0: nobody.
};

}  // namespace carbide::platform
