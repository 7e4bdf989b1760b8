# SPDX-License-Identifier: MIT
# cmake -D PROGRAM=... -D OUTPUT=FILE -P discover_test_cases.cmake
# Writes to OUTPUT one add_test() for each doctest case of PROGRAM.
cmake_minimum_required(VERSION 3.25)

execute_process(COMMAND "${PROGRAM}" --list-test-cases --no-colors=true
    OUTPUT_VARIABLE names ERROR_VARIABLE errors RESULT_VARIABLE status)
if(NOT status STREQUAL "0")
    file(REMOVE "${OUTPUT}")
    message(FATAL_ERROR "${PROGRAM} --list-test-cases ended with ${status}\n${names}${errors}")
endif()

# A CMake list splits at semicolons and not inside brackets: hide both while there is a list.
string(ASCII 1 semicolon)
string(ASCII 2 open)
string(ASCII 3 close)
string(REPLACE ";" "${semicolon}" names "${names}")
string(REPLACE "[" "${open}" names "${names}")
string(REPLACE "]" "${close}" names "${names}")
string(REPLACE "\n" ";" names "${names}")
list(FILTER names EXCLUDE REGEX "^(=+|${open}doctest${close}.*|)$")

set(unique_names "${names}")
list(REMOVE_DUPLICATES unique_names)
if(NOT "${unique_names}" STREQUAL "${names}")
    file(REMOVE "${OUTPUT}")
    message(FATAL_ERROR "two test cases have the same name")
endif()

set(script "")
foreach(name IN LISTS names)
    string(REPLACE "${semicolon}" ";" name "${name}")
    string(REPLACE "${open}" "[" name "${name}")
    string(REPLACE "${close}" "]" name "${name}")
    # To doctest a comma separates two filters. `?` matches any one character.
    string(REGEX REPLACE "[,\\]" "?" filter "${name}")
    string(APPEND script
        "add_test([==[${name}]==] [==[${PROGRAM}]==] [==[--test-case=${filter}]==])\n"
        # A filter that matches nothing would pass.
        "set_tests_properties([==[${name}]==] PROPERTIES "
        "FAIL_REGULAR_EXPRESSION [==[test cases: +0 ]==])\n")
endforeach()
file(WRITE "${OUTPUT}" "${script}")
