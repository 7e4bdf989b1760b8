// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string_view>

#include "carbide/stack_trace.hpp"

namespace carbide {

/// What a checking allocator has found. Docs and suppression files use the names of `name_of`.
enum class FindingKind : unsigned char {
    leak,
    double_free,
    interior_free,         // A pointer into the middle of an allocation.
    foreign_free,          // A pointer that this allocator never gave out.
    wrong_size,            // Freed or resized with another size than that of the allocation.
    wrong_alignment,       // The same with the alignment.
    write_before,          // The pad in front of an allocation was written to.
    write_after,           // The pad behind an allocation was written to.
    write_after_free,      // Freed memory was written to.
    out_of_bounds_access,  // Guard mode: a read or write beside an allocation.
    use_after_free,        // Guard mode: a read or write of freed memory.
    second_thread,         // A single-owner allocator was used by another thread.
    global_allocation,     // malloc or new where `NoGlobalAllocation` forbids them.
};

/// In the form that reports and suppression files use: "double-free".
[[nodiscard]] std::string_view name_of(FindingKind kind) noexcept;

/// One mistake of the program. Pointers in it are valid during the callback.
struct Finding {
    FindingKind kind;
    const char* allocator_name = "";

    /// What the program passed or touched.
    const void* address = nullptr;

    /// The allocation that it concerns; null where there is none.
    const void* block = nullptr;
    std::size_t size_bytes = 0;
    std::size_t alignment_bytes = 0;

    /// What the caller claimed, for `wrong_size` and `wrong_alignment`.
    std::size_t claimed_size_bytes = 0;
    std::size_t claimed_alignment_bytes = 0;

    /// First byte wrongly touched, counted from `block`; below 0 in front of it.
    std::ptrdiff_t offset_bytes = 0;

    /// For `out_of_bounds_access` and `use_after_free`: a write, and not a read.
    bool is_write = false;

    /// The first bytes found there, as many as were changed and fit.
    unsigned char found_bytes[16] = {};
    std::size_t found_byte_count = 0;

    /// Where the mistake was noticed; for a leak, nowhere.
    StackTrace here = {};
    StackTrace allocated = {};
    StackTrace freed = {};        // The first free.
    StackTrace first_owner = {};  // For `second_thread`: the first use.

    /// The kernel's thread ids, for `second_thread`.
    int first_thread = 0;
    int second_thread = 0;

    /// For `foreign_free` and `interior_free`: the Carbide allocator that gave the pointer out;
    /// null where none is known. Other allocators than debug ones are known in checked builds only.
    const char* other_allocator_name = nullptr;

    /// For `foreign_free`: the allocator that was asked is over; `deinit()` has taken everything
    /// back.
    bool allocator_is_over = false;

    /// The report as it is printed. Set when a callback gets the finding.
    std::string_view text = {};
};

/// What an allocator does with a finding, after it has repaired its own accounting.
enum class OnFinding : unsigned char {
    report,  // Print it and go on.
    abort,   // Print it and abort.
    call,    // Hand it to the callback and go on; nothing is printed.
};

/// Called on the thread that was found out, without locks held. It may allocate, but not from the
/// allocator that found it.
struct FindingCallback {
    void (*call)(void* context, const Finding& finding) noexcept = nullptr;
    void* context = nullptr;
};

}  // namespace carbide
