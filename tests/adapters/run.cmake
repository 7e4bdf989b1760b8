# SPDX-License-Identifier: MIT
# cmake -D PROGRAM=FILE [-D ARGUMENT=...] [-D SWEEP=1] -D ENDS=well|badly -D SAYS=REGEX;... -P run.cmake
# Runs PROGRAM with one argument, under the failure sweep or not; it must end as stated, and its
# output match each expression.
cmake_minimum_required(VERSION 3.25)
if(SWEEP)
    set(ENV{CARBIDE_SWEEP} 1)
else()
    unset(ENV{CARBIDE_SWEEP})
endif()

execute_process(COMMAND "${PROGRAM}" ${ARGUMENT} OUTPUT_VARIABLE output ERROR_VARIABLE output
    RESULT_VARIABLE status)
if(status STREQUAL "0")
    set(ended well)
elseif(status MATCHES "^[0-9]+$")
    set(ended badly)
else()
    set(ended "by a signal: ${status}")
endif()
if(NOT ended STREQUAL ENDS)
    message(FATAL_ERROR "${PROGRAM} ${ARGUMENT} ended ${ended}, and not ${ENDS}:\n${output}")
endif()
foreach(expression IN LISTS SAYS)
    if(NOT output MATCHES "${expression}")
        message(FATAL_ERROR "${PROGRAM} ${ARGUMENT} does not say '${expression}':\n${output}")
    endif()
endforeach()
