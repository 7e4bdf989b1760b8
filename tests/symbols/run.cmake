# SPDX-License-Identifier: MIT
# cmake -D EXPECTATION=NAME -D PROGRAM=... (see CMakeLists.txt) -P run.cmake
cmake_minimum_required(VERSION 3.25)

function(run output)
    execute_process(COMMAND ${ARGN}
        OUTPUT_VARIABLE text ERROR_VARIABLE errors RESULT_VARIABLE status)
    if(NOT status STREQUAL "0")
        message(FATAL_ERROR "${ARGN} ended with ${status}\n${text}${errors}")
    endif()
    set(${output} "${text}" PARENT_SCOPE)
endfunction()

function(expect text regex)
    if(NOT text MATCHES "^${regex}$")
        message(FATAL_ERROR "expected\n${regex}\nand found\n${text}")
    endif()
endfunction()

# line_of(VARIABLE FILE MARK): the number of the line that ends in `// MARK`.
function(line_of variable source mark)
    file(READ "${source}" content)
    string(REGEX MATCH "^(.*)// ${mark}\n" head "${content}")
    string(REGEX MATCHALL "\n" newlines "${head}")
    string(LENGTH "${newlines}" twice)
    math(EXPR number "(${twice} + 1) / 2")  # Each newline, and a semicolon between two.
    set(${variable} "${number}" PARENT_SCOPE)
endfunction()

foreach(mark capture inlined outer callback main plugin)
    line_of(${mark}_line "${SOURCE}" "${mark}")
endforeach()
get_filename_component(folder "${SOURCE}" DIRECTORY)
line_of(plugin_inner_line "${folder}/plugin.cpp" inner)
line_of(plugin_outer_line "${folder}/plugin.cpp" outer)
set(file "at [^ ]*named_frames\\.cpp")
set(own_stack
    "    #0 capture_here\\(\\) ${file}:${capture_line}\n"
    "    #1 inlined_caller\\(\\) ${file}:${inlined_line} \\(inlined\\)\n"
    "    #2 outer\\(int\\) ${file}:${outer_line}\n"
    "    #3 main ${file}:${main_line}\n")
string(CONCAT own_stack ${own_stack})
set(offset "\\+0x[0-9a-f]+\n")

if(EXPECTATION STREQUAL "lines")
    run(text "${PROGRAM}" call)
    expect("${text}" "${own_stack}")

elseif(EXPECTATION STREQUAL "plugin")
    run(text "${PROGRAM}" plugin "${PLUGIN}")
    get_filename_component(plugin "${PLUGIN}" NAME)
    string(CONCAT callback
        "    #0 capture_here\\(\\) ${file}:${capture_line}\n"
        "    #1 take_trace\\(\\) ${file}:${callback_line}\n")
    set(inner "\\(anonymous namespace\\)::plugin_inner\\(void \\(\\*\\)\\(\\)\\)")
    string(CONCAT loaded
        "    #2 ${inner} at [^ ]*plugin\\.cpp:${plugin_inner_line}\n"
        "    #3 plugin_run at [^ ]*plugin\\.cpp:${plugin_outer_line}\n")
    set(unloaded "    #2 [^ ]*${plugin}${offset}    #3 [^ ]*${plugin}${offset}")
    set(end "    #4 main ${file}:${plugin_line}\n")
    expect("${text}" "${own_stack}${callback}${loaded}${end}${callback}${unloaded}${end}")

elseif(EXPECTATION STREQUAL "stripped")
    run(text "${STRIPPED}" call)
    set(line "    #[0-9] [^ ]*named_frames_stripped${offset}")
    expect("${text}" "${line}${line}${line}")
    string(REGEX MATCHALL "0x[0-9a-f]+" offsets "${text}")
    run(names "${ADDR2LINE}" -f -C -e "${PROGRAM}" ${offsets})
    expect("${names}" "capture_here[^\n]*\n[^\n]*:${capture_line}[^\n]*\ninlined_caller[^\n]*\n[^\n]*:${inlined_line}[^\n]*\nmain\n[^\n]*:${main_line}[^\n]*\n")

elseif(EXPECTATION STREQUAL "exported")
    run(text "${EXPORTED}" call)
    set(module "in [^ ]*named_frames_exported${offset}")
    expect("${text}" "    #0 capture_here\\(\\) ${module}    #1 outer\\(int\\) ${module}    #2 main ${module}")
else()
    message(FATAL_ERROR "no such expectation: '${EXPECTATION}'")
endif()
