// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace bench::heaps {

struct ZigWorker {
    std::string program;
    std::string missing;  // Why there is none; empty where there is one.
};

/// Compiles heap_bench.zig to `program`, with the compiler that CARBIDE_ZIG names, or with `zig`.
[[nodiscard]] ZigWorker build_zig_worker(const std::string& program);

}  // namespace bench::heaps
