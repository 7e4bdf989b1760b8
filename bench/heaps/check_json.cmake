# SPDX-License-Identifier: MIT
# cmake -D PROGRAM=... -P check_json.cmake
# Runs every kind of workload briefly, and looks at what PROGRAM --json prints.
cmake_minimum_required(VERSION 3.25)

set(workloads pairs producer-consumer larson asymmetric trace)
string(REPLACE ";" "," list "${workloads}")
execute_process(
    COMMAND "${PROGRAM}" --json --quick --rounds 1 --only glibc,handle,known,hardened
        --workload "${list}" --threads 2
    OUTPUT_VARIABLE json ERROR_VARIABLE errors RESULT_VARIABLE status)
if(NOT status STREQUAL "0")
    message(FATAL_ERROR "${PROGRAM} ended with ${status}\n${json}${errors}")
endif()

list(LENGTH workloads expected)
math(EXPR expected "${expected} * 4")
string(JSON count LENGTH "${json}")
if(NOT count EQUAL expected)
    message(FATAL_ERROR "${count} results instead of ${expected}:\n${json}")
endif()
math(EXPR last "${count} - 1")
foreach(i RANGE "${last}")
    foreach(key ns ns_of_best_peer steady_bytes peak_bytes freed_bytes)
        string(JSON value GET "${json}" ${i} ${key})
        if(NOT value GREATER 0)
            message(FATAL_ERROR "${key} of result ${i} is ${value}:\n${json}")
        endif()
    endforeach()
endforeach()

# What is not there is said, and is no result.
execute_process(COMMAND "${CMAKE_COMMAND}" -E env CARBIDE_ZIG=/nonexistent/zig
        "${PROGRAM}" --only zig --quick --rounds 1 --workload pairs
    OUTPUT_VARIABLE output ERROR_VARIABLE errors RESULT_VARIABLE status)
if(NOT status STREQUAL "2" OR NOT errors MATCHES "zig is left out: '/nonexistent/zig'")
    message(FATAL_ERROR "without any allocator it ended with ${status}\n${output}${errors}")
endif()
