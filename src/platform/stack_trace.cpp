// SPDX-License-Identifier: MIT
#include "carbide/stack_trace.hpp"

#include "platform/traces.hpp"

namespace carbide {

StackTrace StackTrace::capture(unsigned frame_count) noexcept {
    return platform::capture_trace(platform::caller_point(), frame_count);
}

unsigned StackTrace::frame_count() const noexcept { return platform::frame_count_of(*this); }

std::uintptr_t StackTrace::return_address(unsigned index) const noexcept {
    return platform::frame_of(*this, index).return_address;
}

}  // namespace carbide
