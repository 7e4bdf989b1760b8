// SPDX-License-Identifier: MIT
#include "run_workload.hpp"

namespace bench::heaps {

bool run_workload(NewSource source, const Job& job, Measurement& result) {
    return run_named(source, job, result);
}

}  // namespace bench::heaps
