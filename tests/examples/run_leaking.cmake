# SPDX-License-Identifier: MIT
# cmake -D PROGRAM=... -P run_leaking.cmake
# `PROGRAM --leak` must say what has leaked and end with 1; an unknown option must end with 2.

execute_process(COMMAND "${PROGRAM}" --leak OUTPUT_VARIABLE output RESULT_VARIABLE status)
if(NOT status STREQUAL "1" OR NOT output STREQUAL "leaked: 3 of 4 allocations, 60 bytes\n")
    message(FATAL_ERROR "${PROGRAM} --leak ended with ${status}\n${output}")
endif()

execute_process(COMMAND "${PROGRAM}" --no-such-option ERROR_VARIABLE errors RESULT_VARIABLE status)
if(NOT status STREQUAL "2" OR NOT errors MATCHES "^usage: ")
    message(FATAL_ERROR "${PROGRAM} --no-such-option ended with ${status}\n${errors}")
endif()
