// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

namespace carbide::platform {

/// Zeroed memory that is never given back, cut from mapped chunks. One thread at a time.
class PermanentMemory {
public:
    constexpr PermanentMemory() noexcept = default;

    /// At a multiple of 8; null where there is none.
    [[nodiscard]] void* alloc(std::size_t size_bytes) noexcept;

private:
    std::byte* free_ = nullptr;
    std::size_t free_bytes_ = 0;
};

}  // namespace carbide::platform
