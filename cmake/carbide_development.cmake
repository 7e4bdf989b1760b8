# SPDX-License-Identifier: MIT
# Conveniences of a development build; skipped where Carbide is part of another project.

set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")

find_program(CARBIDE_CCACHE ccache)
mark_as_advanced(CARBIDE_CCACHE)
if(CARBIDE_CCACHE AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
    set(CMAKE_CXX_COMPILER_LAUNCHER "${CARBIDE_CCACHE}")
endif()
