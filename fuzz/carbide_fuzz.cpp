// SPDX-License-Identifier: MIT
#include <cstddef>
#include <cstdint>

#include "bytes.hpp"

// libFuzzer's entry point.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size_bytes) {
    fuzz::run_input({data, size_bytes});
    return 0;
}
