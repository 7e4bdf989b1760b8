// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <type_traits>

#include "carbide/stack_trace.hpp"

namespace carbide::platform {

/// A line of a printed call stack: a function, or one that the compiler inlined into the next.
/// The texts are valid during the visit.
struct SourceFrame {
    std::string_view function;  // Demangled; empty where no name is known.
    std::string_view file;      // Relative where it lies below the current directory; or empty.
    unsigned line = 0;          // 0: not known.
    bool inlined = false;       // Into a function further out.
    std::string_view module;    // Path of the program or library; empty for code of neither.
    std::uintptr_t offset = 0;  // What `addr2line -e MODULE` takes; an address without module.
};

/// How much is looked up. Where it is not there, the next one serves.
enum class Names : unsigned char {
    all,      // Functions, inlined ones and lines, from debug information; needs libbacktrace.
    dynamic,  // What a module exports.
    none,     // Nothing.
};

/// Visits what a reader wants to see of `trace`, innermost first, until `visit` returns false.
/// Plumbing (see function_name.hpp) and what the C library has below main are left out, unless
/// nothing else is there.
///
/// One thread at a time looks names up; where that is the running one already (a finding while a
/// finding is being described), it gets `Names::none`. May allocate, to demangle names.
void visit_frames(StackTrace trace, Names names, void* context,
                  bool (*visit)(void* context, const SourceFrame& frame) noexcept) noexcept;

/// The same for a callable that returns nothing, or false to stop.
template <typename Visit>
void for_each_frame(StackTrace trace, Visit visit, Names names = Names::all) noexcept {
    visit_frames(trace, names, std::addressof(visit),
                 [](void* context, const SourceFrame& frame) noexcept -> bool {
                     Visit& callable = *static_cast<Visit*>(context);
                     if constexpr (std::is_void_v<decltype(callable(frame))>) {
                         callable(frame);
                         return true;
                     } else {
                         return callable(frame);
                     }
                 });
}

}  // namespace carbide::platform
