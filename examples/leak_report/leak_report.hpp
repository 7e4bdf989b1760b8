// SPDX-License-Identifier: MIT
#pragma once

#include <cstdio>

#include "carbide/allocator.hpp"
#include "carbide/result.hpp"

namespace examples {

enum class Mistake { none, leak };

/// The program: it allocates from what it is given, and perhaps forgets to free.
carbide::Result<void> run_program(carbide::Allocator allocator, Mistake mistake);

/// Runs the program and tells `report` what it has not given back. Returns the exit status for
/// `main`: 1 where something has leaked, or memory was out.
int run_and_report_leaks(carbide::Allocator backing, Mistake mistake, std::FILE* report);

}  // namespace examples
