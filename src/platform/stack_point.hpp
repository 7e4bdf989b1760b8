// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace carbide::platform {

/// Where a walk begins: a function has just been returned from, with these registers.
struct StackPoint {
    std::uintptr_t return_address;
    std::uintptr_t stack_pointer;
    std::uintptr_t frame_pointer;
};

/// Where the function that this is inlined into returns to. The built-in gives that function a
/// frame pointer, whatever the compiler's options, so two words at a known place hold everything.
/// Its locals must not be aligned to more than 16 bytes: the words then lie elsewhere.
[[gnu::always_inline]] inline StackPoint caller_point() noexcept {
    const auto* const frame = static_cast<const std::uintptr_t*>(__builtin_frame_address(0));
    return {reinterpret_cast<std::uintptr_t>(__builtin_return_address(0)),
            reinterpret_cast<std::uintptr_t>(frame + 2), frame[0]};
}

}  // namespace carbide::platform
