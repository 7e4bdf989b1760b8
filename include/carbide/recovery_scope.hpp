// SPDX-License-Identifier: MIT
#pragma once

namespace carbide {

/// Says that out of memory is dealt with here: a smaller cache, a fallback, a dropped request.
/// While one lives, this thread's requests may fail without anybody reporting it, and
/// `check_all_allocation_failures` does not take success after such a failure for a mistake.
///
///     std::span<Slot> cache;
///     {
///         const carbide::RecoveryScope works_without_a_cache;
///         if (auto slots = allocator.alloc<Slot>(256)) cache = *slots;
///     }
///
/// Belongs into the code under test, around the request and nothing else. It changes a counter of
/// the thread, and so costs about a nanosecond where nobody tests.
class [[nodiscard]] RecoveryScope {
public:
    RecoveryScope() noexcept { ++depth; }
    ~RecoveryScope() { --depth; }
    RecoveryScope(const RecoveryScope&) = delete;  // Scopes nest, and end where they began.
    RecoveryScope& operator=(const RecoveryScope&) = delete;

    /// Whether the running thread is inside of one.
    [[nodiscard]] static bool is_open() noexcept { return depth != 0; }

private:
    static inline thread_local unsigned depth = 0;
};

}  // namespace carbide
