// SPDX-License-Identifier: MIT
#pragma once

namespace carbide::detail {

/// From now on a wrong access to guarded memory is reported before it ends the program. Whoever
/// handled SIGSEGV and SIGBUS before gets every fault afterwards, reported or not. To be called for
/// each guarded allocator, because others may have taken the signals over since.
void install_fault_handler() noexcept;

}  // namespace carbide::detail
