# SPDX-License-Identifier: MIT
# Two tests for each compile_fail/NAME.cpp: that it is rejected for the reason that it states, and
# that its correct twin compiles. The conventions are in run.cmake.

set(build_type_flags)
if(CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
    set(build_type_flags -DNDEBUG)
endif()

file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_LIST_DIR}/*.cpp")
foreach(source IN LISTS sources)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${source}")
    file(STRINGS "${source}" only REGEX "^// only: ")
    string(TOLOWER "${CMAKE_CXX_COMPILER_ID}" compiler)
    string(REPLACE "gnu" "gcc" compiler "${compiler}")
    if(only AND NOT only MATCHES ": ${compiler} *$")
        continue()
    endif()

    get_filename_component(name "${source}" NAME_WE)
    foreach(twin IN ITEMS wrong correct)
        add_test(NAME "compile_fail/${name} (${twin})"
            COMMAND "${CMAKE_COMMAND}" -D "CXX=${CMAKE_CXX_COMPILER}" -D "COMPILER=${compiler}"
                -D "SOURCE=${source}" -D "TWIN=${twin}"
                -D "FLAGS=-I${PROJECT_SOURCE_DIR}/include ${build_type_flags}"
                -P "${CMAKE_CURRENT_LIST_DIR}/run.cmake")
    endforeach()
endforeach()
