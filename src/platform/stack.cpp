// SPDX-License-Identifier: MIT
#include "platform/stack.hpp"

#include <execinfo.h>

namespace carbide::platform {

void write_stack_trace(int file_descriptor) noexcept {
    constexpr int frame_count_max = 32;
    void* frames[frame_count_max];
    const int frame_count = backtrace(frames, frame_count_max);
    // The first frame is this function.
    if (frame_count > 1) backtrace_symbols_fd(frames + 1, frame_count - 1, file_descriptor);
}

}  // namespace carbide::platform
