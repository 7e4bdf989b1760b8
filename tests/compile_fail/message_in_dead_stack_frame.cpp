// SPDX-License-Identifier: MIT
// The original of the fixed buffer pattern: it formats into a buffer on its own stack and returns
// the text. The right form takes the buffer from its caller.
// only: clang
// expect-error(clang): address of stack memory associated with local variable 'fixed' returned
#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "carbide/fixed_buffer_allocator.hpp"

#ifdef CARBIDE_TEST_CORRECT
carbide::Result<std::span<char>> format_message(carbide::Allocator allocator,
                                                std::string_view name) {
    return allocator.dupe(name);
}
#else
carbide::Result<std::span<char>> format_message(std::string_view name) {
    std::array<std::byte, 256> buffer;
    carbide::FixedBufferAllocator fixed(buffer);
    return fixed.dupe(name);
}
#endif
