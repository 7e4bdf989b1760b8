// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

namespace carbide::platform {

/// A demangled name as people write it: without return type and clone suffix, `std::string` for
/// what that stands for, `>>` for `> >`. Shortens the text where it stands.
[[nodiscard]] std::string_view readable_name(char* demangled) noexcept;

/// Whether a readable name is that of a function between a caller of an allocator and its core:
/// handles, mixins, entry points of the vtable; or of the failure sweep.
[[nodiscard]] bool is_plumbing(std::string_view function) noexcept;

/// Whether functions of that source file only call what they are given: what stands between a
/// `std::thread`, `std::function` or the failure sweep and its callable.
[[nodiscard]] bool forwards_calls(std::string_view file) noexcept;

}  // namespace carbide::platform
