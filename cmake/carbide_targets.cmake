# SPDX-License-Identifier: MIT
# What every target of this project has in common.

# Warnings for our own sources. Linked PRIVATE, so that users of the library never inherit them.
add_library(carbide_warnings INTERFACE)
target_compile_options(carbide_warnings INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wdouble-promotion
    -Wnon-virtual-dtor -Woverloaded-virtual -Wold-style-cast -Wcast-align -Wformat=2
    -Wimplicit-fallthrough
    $<$<CXX_COMPILER_ID:GNU>:-Wduplicated-cond -Wlogical-op>
    # Only here: a newer compiler's new warning must not stop somebody who builds us in.
    $<$<BOOL:${PROJECT_IS_TOP_LEVEL}>:-Werror>)

# carbide_target(TARGET): C++23 without compiler extensions, and our warnings.
function(carbide_target target)
    target_compile_features(${target} PUBLIC cxx_std_23)
    set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
    target_link_libraries(${target} PRIVATE $<BUILD_INTERFACE:carbide_warnings>)
endfunction()

# carbide_add_library(TARGET FOLDER...): a static library from all sources in those folders.
function(carbide_add_library target)
    list(TRANSFORM ARGN APPEND "/*.cpp" OUTPUT_VARIABLE patterns)
    list(TRANSFORM patterns PREPEND "${PROJECT_SOURCE_DIR}/")
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${patterns})
    if(NOT sources)  # A static library needs one source, even while its folder is empty.
        set(sources "${PROJECT_BINARY_DIR}/empty.cpp")
        file(CONFIGURE OUTPUT "${sources}" CONTENT "")
    endif()
    add_library(${target} STATIC ${sources})
    carbide_target(${target})
    target_include_directories(${target}
        PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:include>
        PRIVATE "${PROJECT_SOURCE_DIR}/src")
    set_target_properties(${target} PROPERTIES
        CXX_VISIBILITY_PRESET hidden
        VISIBILITY_INLINES_HIDDEN ON
        POSITION_INDEPENDENT_CODE ON)
endfunction()
