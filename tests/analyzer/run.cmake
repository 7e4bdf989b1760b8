# SPDX-License-Identifier: MIT
# cmake -D CXX=clang++ -D SOURCE=FILE -D INCLUDE=DIRECTORY -P run.cmake
#
# SOURCE states what clang must say about it:
#     // expect-warning: REGEX    a report of the static analyzer; there must be no others
#     // expect-ast: REGEX        a part of the syntax tree
cmake_minimum_required(VERSION 3.25)

# Sets VARIABLE to the regular expressions that SOURCE gives for this kind of expectation.
function(read_expectations kind variable)
    file(STRINGS "${SOURCE}" lines REGEX "^// ${kind}: ")
    list(TRANSFORM lines REPLACE "^// ${kind}: " "")
    set(${variable} "${lines}" PARENT_SCOPE)
endfunction()

# Runs clang on SOURCE with the given arguments. Sets `output` to all that it wrote.
macro(run_clang)
    execute_process(
        COMMAND "${CMAKE_COMMAND}" -E env LC_ALL=C
            "${CXX}" -std=c++23 "-I${INCLUDE}" ${ARGN} "${SOURCE}"
        RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
    if(NOT status STREQUAL "0")
        message(FATAL_ERROR "clang failed:\n${output}")
    endif()
endmacro()

function(check_all_found text)
    foreach(expectation IN LISTS ARGN)
        if(NOT text MATCHES "${expectation}")
            message(FATAL_ERROR "clang did not say: ${expectation}\nbut:\n${text}")
        endif()
    endforeach()
endfunction()

read_expectations(expect-warning warnings)
run_clang(--analyze --analyzer-output text)
check_all_found("${output}" ${warnings})
string(REGEX MATCHALL "[^\n]*: warning: [^\n]*" reported "${output}")
list(LENGTH reported reported_count)
list(LENGTH warnings expected_count)
if(NOT reported_count EQUAL expected_count)
    message(FATAL_ERROR "${expected_count} reports were expected, and there are:\n${output}")
endif()

read_expectations(expect-ast parts)
if(parts)
    run_clang(-fsyntax-only -Xclang -ast-dump -fno-color-diagnostics)
    check_all_found("${output}" ${parts})
endif()
