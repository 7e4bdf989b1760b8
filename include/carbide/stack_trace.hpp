// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

namespace carbide {

/// A call stack, interned: two captures of one call path are equal and take memory once. The value
/// is 4 bytes, and stays valid until the program ends, also where its code is unloaded.
///
/// Capturing follows the call-frame information of the running code (.eh_frame), so it works in
/// optimised and stripped programs without frame pointers; code without such information is walked
/// by its frame pointers, and where neither is there the trace ends. Nothing is allocated from
/// the program's heap, and names are looked up only when a trace is printed.
///
/// Any thread may call everything here.
class StackTrace {
public:
    static constexpr unsigned frame_count_max = 64;

    /// No frames.
    constexpr StackTrace() noexcept = default;

    /// The callers of this function, innermost first. No frames where memory for a new trace is
    /// out.
    [[nodiscard, gnu::noinline]] static StackTrace capture(unsigned frame_count = 16) noexcept;

    [[nodiscard]] bool is_empty() const noexcept { return id_ == 0; }
    [[nodiscard]] unsigned frame_count() const noexcept;

    /// The address that frame `index` returns to; `index` is below `frame_count()`. The call stands
    /// in front of it.
    [[nodiscard]] std::uintptr_t return_address(unsigned index) const noexcept;

    /// A line per frame, inlined ones included: function, file and line where debug information is
    /// there, else `module+0xoffset`, which `addr2line -e MODULE OFFSET` takes. May allocate.
    void write_to(int file_descriptor) const noexcept;

    friend constexpr bool operator==(StackTrace, StackTrace) noexcept = default;

    /// For the authors of allocators, who keep millions of them: 0 is the empty trace.
    [[nodiscard]] constexpr std::uint32_t id() const noexcept { return id_; }
    [[nodiscard]] static constexpr StackTrace from_id(std::uint32_t id) noexcept {
        return StackTrace(id);
    }

private:
    constexpr explicit StackTrace(std::uint32_t id) noexcept : id_(id) {}

    std::uint32_t id_ = 0;
};

}  // namespace carbide
