// SPDX-License-Identifier: MIT
#include "support/stack_oracle.hpp"

#include <unwind.h>

#include <algorithm>
#include <cstdio>

#include "platform/stack_walk.hpp"
#include "platform/traces.hpp"

namespace carbide::tests {
namespace {

using Frames = std::vector<std::uintptr_t>;

_Unwind_Reason_Code add_frame(_Unwind_Context* context, void* frames) {
    int is_exact = 0;
    const std::uintptr_t address = _Unwind_GetIPInfo(context, &is_exact);
    if (address == 0) return _URC_END_OF_STACK;
    // An interrupted instruction counts as a call that it stands in.
    static_cast<Frames*>(frames)->push_back(address + (is_exact != 0 ? 1 : 0));
    return _URC_NO_REASON;
}

Frames walked_frames(const platform::StackPoint& from) {
    platform::OwnStack own;
    platform::WalkedStack stack;
    platform::walk_stack(from, StackTrace::frame_count_max, own, nullptr, stack);
    return {stack.return_addresses, stack.return_addresses + stack.frame_count};
}

std::string difference(const char* who, const Frames& found, const Frames& expected) {
    if (found == expected) return {};
    const auto [at, other] =
        std::mismatch(found.begin(), found.end(), expected.begin(), expected.end());
    char text[200];
    std::snprintf(text, sizeof text, "%s: %zu frames in place of %zu, frame %td is %zx, not %zx\n",
                  who, found.size(), expected.size(), at - found.begin(),
                  at == found.end() ? 0 : *at, other == expected.end() ? 0 : *other);
    return text;
}

}  // namespace

Frames frames_of(StackTrace trace) {
    Frames frames;
    for (unsigned i = 0; i < trace.frame_count(); ++i) frames.push_back(trace.return_address(i));
    return frames;
}

Frames oracle_frames() {
    Frames frames;
    frames.reserve(512);
    _Unwind_Backtrace(add_frame, &frames);
    // It begins in this function, and the caller's return address into its own body follows.
    frames.erase(frames.begin(), frames.begin() + 2);
    if (frames.size() > StackTrace::frame_count_max) frames.resize(StackTrace::frame_count_max);
    return frames;
}

void repeat(unsigned count, const std::function<void(unsigned)>& body) {
    for (unsigned i = 0; i < count; ++i) {
        asm volatile("" : "+r"(i), "+r"(count));
        body(i);
    }
}

std::string stack_differences() {
    const platform::StackPoint from = platform::caller_point();
    Frames expected = oracle_frames();
    std::string text = difference("walk", walked_frames(from), expected);
    for (const char* who : {"capture", "repeated capture"}) {
        const StackTrace trace = platform::capture_trace(from, StackTrace::frame_count_max);
        text += difference(who, frames_of(trace), expected);
    }
    return text;
}

}  // namespace carbide::tests
