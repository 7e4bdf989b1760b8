# SPDX-License-Identifier: MIT
# cmake -D CXX=... -D COMPILER=gcc|clang -D SOURCE=FILE -D TWIN=wrong|correct -D FLAGS=... -P run.cmake
#
# SOURCE must be rejected with a message that matches each of its expectations:
#     // expect-error: REGEX            by either compiler
#     // expect-error(clang): REGEX     by clang; `gcc` likewise
#     // flags: -Wfoo                   further compiler flags
#     // only: clang                    not registered as a test for the other compiler
# Where no expectation names the compiler, SOURCE must compile without a warning. Compiled with
# -DCARBIDE_TEST_CORRECT it always must: that twin shows that the rejection has the stated reason.
cmake_minimum_required(VERSION 3.25)

file(READ "${SOURCE}" rest)
separate_arguments(flags UNIX_COMMAND "${FLAGS}")
set(expectation_count 0)
while(rest MATCHES "(^|\n)// (flags|expect-error|expect-error\\(${COMPILER}\\)): ([^\n]+)(.*)")
    set(kind "${CMAKE_MATCH_2}")
    set(value "${CMAKE_MATCH_3}")
    set(rest "${CMAKE_MATCH_4}")
    if(kind STREQUAL "flags")
        separate_arguments(more UNIX_COMMAND "${value}")
        list(APPEND flags ${more})
    else()
        set(expectation_${expectation_count} "${value}")
        math(EXPR expectation_count "${expectation_count} + 1")
    endif()
endwhile()
if(TWIN STREQUAL "correct")
    list(APPEND flags -DCARBIDE_TEST_CORRECT)
    set(expectation_count 0)
endif()

execute_process(
    COMMAND "${CMAKE_COMMAND}" -E env LC_ALL=C
        "${CXX}" -std=c++23 -Wall -Wextra -Wpedantic -Werror ${flags} -fsyntax-only "${SOURCE}"
    RESULT_VARIABLE status ERROR_VARIABLE messages)
string(REPLACE "\n" "\n  " shown "${messages}")  # message() wraps what is not indented.

if(expectation_count EQUAL 0)
    if(NOT status STREQUAL "0")
        message(FATAL_ERROR "should compile, and did not:\n  ${shown}")
    endif()
    return()
endif()
if(status STREQUAL "0")
    message(FATAL_ERROR "compiled, and should have been rejected with: ${expectation_0}")
endif()
math(EXPR last "${expectation_count} - 1")
foreach(index RANGE ${last})
    if(NOT messages MATCHES "${expectation_${index}}")
        message(FATAL_ERROR "rejected, but not with: ${expectation_${index}}\n  ${shown}")
    endif()
endforeach()
