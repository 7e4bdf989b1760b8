// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

/// Pages of the operating system. The only place that knows mmap.
///
/// All sizes are multiples of `page_bytes()`. Nothing here throws, allocates or touches errno for
/// its caller. Any thread may call.
namespace carbide::platform {

[[nodiscard]] std::size_t page_bytes() noexcept;

/// Rounded up to whole pages, or 0 where that overflows.
[[nodiscard]] std::size_t round_up_to_pages(std::size_t size_bytes) noexcept;

/// Zeroed, readable and writable pages at a multiple of `alignment_bytes`; null where there are
/// none. `alignment_bytes` is a power of two.
[[nodiscard]] void* map_pages(std::size_t size_bytes, std::size_t alignment_bytes) noexcept;

void unmap_pages(void* pages, std::size_t size_bytes) noexcept;

/// Grows or shrinks where it stands.
[[nodiscard]] bool resize_pages(void* pages, std::size_t old_bytes, std::size_t new_bytes) noexcept;

/// Grows or shrinks, moving page tables instead of bytes. Null: nothing changed.
[[nodiscard]] void* move_pages(void* pages, std::size_t old_bytes, std::size_t new_bytes) noexcept;

/// Addresses without memory that nobody may touch; null where there are none. `unmap_pages` ends
/// it.
[[nodiscard]] void* reserve_pages(std::size_t size_bytes) noexcept;

/// Makes reserved pages readable and writable; false where the kernel has no memory or no more
/// mappings (vm.max_map_count).
[[nodiscard]] bool open_pages(void* pages, std::size_t size_bytes) noexcept;

/// Makes them reserved addresses again. Where the kernel has no more mappings they stay open.
void close_pages(void* pages, std::size_t size_bytes) noexcept;

/// Gives the memory of these pages back and keeps the addresses: what they hold is undefined then,
/// and mostly 0. Does nothing where the memory is no private mapping.
void purge_pages(void* pages, std::size_t size_bytes) noexcept;

/// Makes pages that nobody may touch of some; false where the kernel has no more mappings.
[[nodiscard]] bool protect_pages(void* pages, std::size_t size_bytes) noexcept;

/// Asks for pages of 2 MiB where the kernel leaves that to programs.
void want_huge_pages(void* pages, std::size_t size_bytes) noexcept;

/// Of these pages, the bytes that are in memory.
[[nodiscard]] std::size_t resident_bytes(void* pages, std::size_t size_bytes) noexcept;

}  // namespace carbide::platform
