# SPDX-License-Identifier: MIT
# cmake -D VALGRIND=... -D PROGRAM=... -D NAME=... -D COMPILER=... -D EXPECTED=FILE -P count.cmake
# Counts the instructions of one pass through a loop, and compares with the line of EXPECTED.
cmake_minimum_required(VERSION 3.25)

function(count_instructions passes result)
    execute_process(
        COMMAND "${VALGRIND}" --tool=callgrind --callgrind-out-file=/dev/null
            "${PROGRAM}" "${NAME}" "${passes}"
        RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
    if(NOT status STREQUAL "0" OR NOT output MATCHES "Collected : ([0-9]+)")
        message(FATAL_ERROR "callgrind ended with ${status}\n${output}")
    endif()
    set(${result} "${CMAKE_MATCH_1}" PARENT_SCOPE)
endfunction()

file(STRINGS "${EXPECTED}" lines REGEX "^[^#]")
list(POP_FRONT lines header)
string(REGEX REPLACE " +" ";" compilers "${header}")
list(FIND compilers "${COMPILER}" column)
set(is_exact TRUE)
if(column EQUAL -1)
    set(is_exact FALSE)
    list(FIND compilers "other" column)
endif()
list(FILTER lines INCLUDE REGEX "^${NAME} ")
string(REGEX REPLACE " +" ";" numbers "${lines}")
list(GET numbers ${column} expected)

count_instructions(1000 fewer)
count_instructions(2000 more)
math(EXPR thousand "${more} - ${fewer}")
math(EXPR actual "(${thousand} + 500) / 1000")
message("${NAME}, ${COMPILER}: ${actual} instructions (${thousand} for a thousand)")

if(actual GREATER expected)
    message(FATAL_ERROR "more than the ${expected} in ${EXPECTED}")
endif()
if(is_exact AND actual LESS expected)
    message(FATAL_ERROR "fewer than the ${expected} in ${EXPECTED}: lower the number there")
endif()
