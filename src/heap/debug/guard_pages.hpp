// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

namespace carbide::detail {

/// Address ranges whose pages nobody may touch but those that are opened. No address is handed out
/// twice, so that a stale pointer never meets somebody else's memory.
///
/// Callers serialise.
class GuardPages {
public:
    /// A range of whole units, aligned to one or more; 0 where there is no address space.
    [[nodiscard]] std::uintptr_t take(std::size_t size_bytes, std::size_t alignment_bytes) noexcept;

    /// Makes whole pages of a range readable and writable: zeroed. False where the kernel has no
    /// memory, or no more mappings (vm.max_map_count; each open range takes two).
    [[nodiscard]] static bool open(std::uintptr_t begin, std::size_t size_bytes) noexcept;

    /// Makes them inaccessible, and their memory the system's.
    static void close(std::uintptr_t begin, std::size_t size_bytes) noexcept;

    /// Gives all address space back.
    void deinit() noexcept;

private:
    struct Region;

    static constexpr std::size_t region_bytes = std::size_t{1} << 30;

    [[nodiscard]] bool add_region(std::size_t size_bytes_min) noexcept;

    Region* newest_ = nullptr;
    std::uintptr_t next_ = 0;  // [next_, end_) is what is left of the newest.
    std::uintptr_t end_ = 0;
};

}  // namespace carbide::detail
