# SPDX-License-Identifier: MIT
# cmake -D PROGRAM=... -D EXPECTED=FILE -P run_and_compare.cmake
# Runs PROGRAM; its exit status must be 0 and its standard output exactly the content of EXPECTED.

execute_process(COMMAND "${PROGRAM}" OUTPUT_VARIABLE actual ERROR_VARIABLE errors RESULT_VARIABLE status)
if(NOT status STREQUAL "0")
    message(FATAL_ERROR "${PROGRAM} ended with ${status}\n${actual}${errors}")
endif()

file(READ "${EXPECTED}" expected)
if(NOT actual STREQUAL expected)
    get_filename_component(name "${PROGRAM}" NAME)
    set(actual_file "${CMAKE_CURRENT_BINARY_DIR}/${name}.actual")
    file(WRITE "${actual_file}" "${actual}")
    execute_process(COMMAND diff -u "${EXPECTED}" "${actual_file}" OUTPUT_VARIABLE difference)
    message(FATAL_ERROR "the output of ${PROGRAM} is not that of ${EXPECTED}:\n${difference}")
endif()
