// SPDX-License-Identifier: MIT
#pragma once

namespace carbide::platform {

/// The kernel's id of the running thread: what gdb, top and /proc show. Cached per thread.
[[nodiscard]] int thread_id() noexcept;

}  // namespace carbide::platform
