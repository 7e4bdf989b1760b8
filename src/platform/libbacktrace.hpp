// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace carbide::platform {

struct Module;

/// Names from debug information, through GCC's libbacktrace where it is linked in.
///
/// libbacktrace reads a process once and cannot be told of libraries that were loaded later, nor
/// give its memory back. So it is started anew when a module is asked for that was not there the
/// last time, a limited number of times. One thread at a time; it maps pages and allocates nothing.
namespace libbacktrace {

/// Called innermost first; the texts may be null and last for the call.
using Visit = void (*)(void* context, const char* function, const char* file,
                       unsigned line) noexcept;

[[nodiscard]] bool is_linked_in() noexcept;

/// Whether it can name code of `module`, which is loaded now.
[[nodiscard]] bool is_ready_for(const Module& module) noexcept;

/// The function around `address`, and before it those that were inlined there. Nothing where there
/// is no debug information.
void visit_functions(std::uintptr_t address, void* context, Visit visit) noexcept;

/// The symbol around `address`; none where the symbol table was stripped.
void visit_symbol(std::uintptr_t address, void* context, Visit visit) noexcept;

/// For the child of a fork that happened while another thread was in here: starts anew.
void forget() noexcept;

}  // namespace libbacktrace
}  // namespace carbide::platform
