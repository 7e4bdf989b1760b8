// SPDX-License-Identifier: MIT
#include "message/message.hpp"

#include <array>
#include <cstddef>
#include <cstdio>
#include <string>

#include "carbide/fixed_buffer_allocator.hpp"

int main() {
    // [snippet:use_message]
    std::array<std::byte, 256> bytes;  // As long-lived as the messages in it.
    carbide::FixedBufferAllocator fixed(bytes);

    if (const auto message = examples::format_message(fixed.allocator(), "Ada")) {
        std::printf("%.*s\n", static_cast<int>(message->size()), message->data());
    }
    // [/snippet:use_message]
    std::printf("%zu of %zu bytes used\n", fixed.used_bytes(), fixed.capacity_bytes());

    fixed.reset();
    const std::string long_name(300, 'a');
    const auto too_long = examples::format_message(fixed.allocator(), long_name);
    std::printf("a name of %zu letters: %s\n", long_name.size(),
                too_long ? "fits" : too_long.error().message());
}
