# `cmake --install`: the public headers, the record classes, the libraries, a CMake package and the
# programs. What is linked privately is installed too, because static libraries need it, but its
# headers are not.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(modules public proto schema base model wire sqlite store sync client ports)
list(TRANSFORM modules PREPEND gridwhistle_ OUTPUT_VARIABLE targets)
foreach(module target IN ZIP_LISTS modules targets)
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${module})
endforeach()

install(TARGETS ${targets} EXPORT gridwhistle)
install(TARGETS gw gridwhistle-server)
install(DIRECTORY "${PROJECT_SOURCE_DIR}/core/include/" TYPE INCLUDE)
foreach(name IN ITEMS workflow records reference)
  install(FILES "${PROJECT_BINARY_DIR}/proto/classes/gridwhistle/v1/${name}.pb.h"
    DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/gridwhistle/v1")
endforeach()

set(package "${CMAKE_INSTALL_LIBDIR}/cmake/gridwhistle")
install(EXPORT gridwhistle NAMESPACE gridwhistle:: FILE gridwhistle-targets.cmake
  DESTINATION "${package}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/gridwhistle-config-version.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_SOURCE_DIR}/cmake/gridwhistle-config.cmake"
  "${PROJECT_BINARY_DIR}/gridwhistle-config-version.cmake" DESTINATION "${package}")
