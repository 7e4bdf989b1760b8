# SPDX-License-Identifier: MIT
# cmake -D SPIN=... -D CC=... -D MODEL=FILE -D BROKEN=N -D EXPECTED=REASON -D FOLDER=...
#     -P run.cmake
#
# BROKEN 0: in MODEL no assertion may fail and no process may stop before its end, in any
# interleaving. The search must be complete, and must reach each statement: what is never reached
# proves nothing. `// unreached: PROCESS NUMBER` in MODEL allows for that many in one process.
#
# BROKEN N: MODEL, compiled with that macro, has a mistake, which must be found: pan's message
# matches EXPECTED. MODEL states it so:
#     // broken N: assertion violated: what the mistake is
#     // broken N: invalid end state: what the mistake is
cmake_minimum_required(VERSION 3.25)

get_filename_component(name "${MODEL}" NAME_WE)
set(folder "${FOLDER}/${name}.${BROKEN}")
file(REMOVE_RECURSE "${folder}")
file(MAKE_DIRECTORY "${folder}")

# run(COMMAND...): what it says is in `output`.
function(run)
    execute_process(COMMAND "${CMAKE_COMMAND}" -E env LC_ALL=C ${ARGN}
        WORKING_DIRECTORY "${folder}"
        RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
    string(REPLACE "\n" "\n  " shown "${output}")  # message() wraps what is not indented.
    set(output "${output}" PARENT_SCOPE)
    set(shown "${shown}" PARENT_SCOPE)
    if(NOT status STREQUAL "0")
        list(JOIN ARGN " " command)
        message(FATAL_ERROR "failed: ${command}\n  ${shown}")
    endif()
endfunction()

# Without statement merging (-o3): each statement is told of by itself.
run("${SPIN}" -a -o3 "-DBROKEN=${BROKEN}" "${MODEL}")
run("${CC}" -w -DSAFETY -DMEMLIM=1024 -o pan pan.c)
run("${folder}/pan" -m100000 -w20)
message("${output}")

if(NOT BROKEN STREQUAL "0")
    if(NOT output MATCHES "pan:[0-9]+: ${EXPECTED}")
        message(FATAL_ERROR "the mistake was not found; expected: ${EXPECTED}")
    endif()
    return()
endif()

if(NOT output MATCHES "errors: 0\n")
    run("${SPIN}" -t -p -g -w "-DBROKEN=${BROKEN}" -k "${folder}/${name}.pml.trail"
        "${MODEL}")
    message(FATAL_ERROR "the property does not hold; this is how:\n  ${shown}")
endif()
if(output MATCHES "max search depth too small|[Ss]earch not completed|out of memory")
    message(FATAL_ERROR "the search is not complete")
endif()

file(STRINGS "${MODEL}" allowances REGEX "^// unreached: ")
string(REGEX MATCHALL "unreached in [^(]*\\([0-9]+ of" processes "${output}")
if(NOT processes)
    message(FATAL_ERROR "pan did not say what it reached")
endif()
string(REGEX MATCHALL "unreached in [a-z]+ [A-Za-z_0-9]+\n[^(]*\\([0-9]+ of" processes "${output}")
foreach(process IN LISTS processes)
    string(REGEX MATCH "unreached in [a-z]+ ([A-Za-z_0-9]+)\n.*\\(([0-9]+) of" matched "${process}")
    set(process_name "${CMAKE_MATCH_1}")
    set(count "${CMAKE_MATCH_2}")
    if(NOT count EQUAL 0 AND NOT "// unreached: ${process_name} ${count}" IN_LIST allowances)
        message(FATAL_ERROR "in ${process_name}, ${count} statements are never reached")
    endif()
endforeach()
