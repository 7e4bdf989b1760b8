// SPDX-License-Identifier: MIT
#include "carbide/check.hpp"

#include <unistd.h>

#include "platform/message.hpp"

namespace carbide {

void check_failed(const char* message, const char* file, int line) noexcept {
    platform::Message()
        .text("carbide: ")
        .text(message)
        .text(" (")
        .text(file)
        .text(":")
        .number(static_cast<unsigned>(line))
        .text(")")
        .write_to(STDERR_FILENO);
    __builtin_trap();
}

}  // namespace carbide
