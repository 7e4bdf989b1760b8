# SPDX-License-Identifier: MIT
# Installs the headers, the libraries, and what find_package(carbide) needs.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(config_dir "${CMAKE_INSTALL_LIBDIR}/cmake/carbide")

install(DIRECTORY include/carbide DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
    FILES_MATCHING PATTERN "*.hpp" PATTERN "*.h")
install(TARGETS carbide carbide_testing carbide_global_allocation carbide_new_delete
    EXPORT carbide-targets
    ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(EXPORT carbide-targets NAMESPACE carbide:: DESTINATION "${config_dir}")

configure_package_config_file(cmake/carbide-config.cmake.in carbide-config.cmake
    INSTALL_DESTINATION "${config_dir}")
write_basic_package_version_file(carbide-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES
    "${CMAKE_CURRENT_BINARY_DIR}/carbide-config.cmake"
    "${CMAKE_CURRENT_BINARY_DIR}/carbide-config-version.cmake"
    cmake/carbide_backtrace.cmake
    DESTINATION "${config_dir}")
