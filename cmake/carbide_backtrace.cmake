# SPDX-License-Identifier: MIT
# Defines carbide::backtrace: GCC's libbacktrace, which names the lines of call stacks. It comes with
# g++, in the folder that g++ and clang link from. Without it the target is empty, and call stacks
# have the names that libraries export, or module+0xoffset. -D CARBIDE_BACKTRACE=OFF does without.
#
# Part of the installed package as well: the file of another compiler version lies elsewhere.
if(TARGET carbide::backtrace)
    return()
endif()
add_library(carbide::backtrace INTERFACE IMPORTED GLOBAL)

find_library(CARBIDE_BACKTRACE NAMES libbacktrace.a PATHS ${CMAKE_CXX_IMPLICIT_LINK_DIRECTORIES}
    DOC "GCC's libbacktrace, or OFF")
mark_as_advanced(CARBIDE_BACKTRACE)
if(CARBIDE_BACKTRACE)
    set_target_properties(carbide::backtrace PROPERTIES
        INTERFACE_LINK_LIBRARIES "${CARBIDE_BACKTRACE}"
        # The references are weak, and do not pull anything out of an archive. Excluded: a shared
        # library that contains Carbide does not export what is not its own.
        INTERFACE_LINK_OPTIONS
            "LINKER:-u,backtrace_create_state,-u,backtrace_pcinfo,-u,backtrace_syminfo;LINKER:--exclude-libs,libbacktrace.a")
endif()
