# How every folder of this project is built: one target a folder, which sees the folders it names
# and no others.

option(GRIDWHISTLE_TESTS "Build the tests" ON)
set(GRIDWHISTLE_SANITIZE "" CACHE STRING "Sanitizers for our own code, as for -fsanitize")

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
add_compile_options(-pthread)  # everywhere alike, or a precompiled header does not fit
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")
set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g1")
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1")

find_program(GRIDWHISTLE_CCACHE ccache)
if(GRIDWHISTLE_CCACHE)
  # Results are shared by all checkouts of a machine, with precompiled headers too.
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CMAKE_COMMAND}" -E env "CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}"
    CCACHE_NOHASHDIR=1 CCACHE_SLOPPINESS=pch_defines,time_macros "${GRIDWHISTLE_CCACHE}")
endif()
find_program(GRIDWHISTLE_LLD ld.lld)
if(GRIDWHISTLE_LLD)
  add_link_options(-fuse-ld=lld)
endif()
if(GRIDWHISTLE_SANITIZE)
  # A sanitizer is a property of the whole program; what is not ours is merely linked with it.
  add_link_options(-fsanitize=${GRIDWHISTLE_SANITIZE})
endif()

# Warnings and sanitizers for our own code; generated code gets the sanitizers alone.
add_library(gridwhistle_flags INTERFACE)
target_compile_options(gridwhistle_flags INTERFACE
  -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wconversion -Wno-sign-conversion
  -Wno-missing-field-initializers -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # libstdc++ 12's own std::stable_sort calls a function it declares deprecated.
  target_compile_options(gridwhistle_flags INTERFACE -Wno-deprecated-declarations)
endif()
add_library(gridwhistle_sanitizers INTERFACE)
if(GRIDWHISTLE_SANITIZE)
  target_compile_options(gridwhistle_sanitizers INTERFACE
    -fsanitize=${GRIDWHISTLE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
endif()
if(GRIDWHISTLE_SANITIZE MATCHES "thread")
  # The thread sanitizer knows no fences, and g++ says so. Asio has them beside its mutex, which
  # alone orders what we hand to it.
  target_compile_definitions(gridwhistle_sanitizers INTERFACE BOOST_ASIO_DISABLE_FENCED_BLOCK)
endif()

# What nearly every file includes, compiled once: a quarter of the compile time. Files still include
# what they use: the release and clang builds have no precompiled headers. One set is for libraries, one,
# with Catch2 and as programs are compiled, for tests.
set(GRIDWHISTLE_COMMON_HEADERS <algorithm> <array> <atomic> <chrono> <condition_variable> <cstdint> <expected>
  <filesystem> <fstream> <functional> <map> <memory> <mutex> <optional> <set> <span> <sstream> <string>
  <string_view> <thread> <unordered_map> <utility> <variant> <vector>)
file(CONFIGURE OUTPUT "${PROJECT_BINARY_DIR}/common_headers.cc" CONTENT "")
add_library(gridwhistle_library_headers OBJECT "${PROJECT_BINARY_DIR}/common_headers.cc")
target_precompile_headers(gridwhistle_library_headers PRIVATE ${GRIDWHISTLE_COMMON_HEADERS})
target_link_libraries(gridwhistle_library_headers PRIVATE gridwhistle_flags gridwhistle_sanitizers)

# gw_module(NAME [SOURCES file...] [LINKS target...] [EXPORTS target...])
#
# The library of the current folder. Its headers are included as "FOLDER/file.h", and only by the
# targets that link it: the include path holds a link to this one folder, nothing beside it.
# LINKS are private, so each target names every folder whose headers it includes, directly or
# through other headers. EXPORTS is for what every user of the headers needs.
function(gw_module name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINKS;EXPORTS" ${ARGN})
  get_filename_component(folder "${CMAKE_CURRENT_SOURCE_DIR}" NAME)
  set(door "${PROJECT_BINARY_DIR}/include/${name}")
  file(MAKE_DIRECTORY "${door}")
  file(CREATE_LINK "${CMAKE_CURRENT_SOURCE_DIR}" "${door}/${folder}" SYMBOLIC)
  if(arg_SOURCES)
    add_library(${name} STATIC ${arg_SOURCES})
    target_include_directories(${name} PUBLIC "$<BUILD_INTERFACE:${door}>")
    target_precompile_headers(${name} REUSE_FROM gridwhistle_library_headers)
    target_link_libraries(${name}
      PUBLIC ${arg_EXPORTS}
      PRIVATE ${arg_LINKS} $<BUILD_INTERFACE:gridwhistle_flags> $<BUILD_INTERFACE:gridwhistle_sanitizers>)
  else()
    add_library(${name} INTERFACE)
    target_include_directories(${name} INTERFACE "$<BUILD_INTERFACE:${door}>")
    target_link_libraries(${name} INTERFACE ${arg_EXPORTS} ${arg_LINKS})
  endif()
endfunction()

# What scripts/test builds without sanitizers: the programs, and the tests for that build.
add_custom_target(gridwhistle_without_sanitizers)

# gw_program(NAME SOURCES file... LINKS target...): a program in build/PRESET/bin.
function(gw_program name)
  add_dependencies(gridwhistle_without_sanitizers ${name})
  cmake_parse_arguments(arg "" "" "SOURCES;LINKS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${arg_LINKS} gridwhistle_flags gridwhistle_sanitizers)
endfunction()

# gw_tests(NAME SOURCES file... LINKS target... [LABELS label...])
#
# A Catch2 program whose cases are tests of their own. Test names are sentences. The label `grpc` says
# that it stands on gRPC and is not built with sanitizers, `unsanitized` that it does less with them.
# The target gridwhistle_test_programs builds all test programs there are.
option(GRIDWHISTLE_GRPC_TESTS "Tests that stand on gRPC; off where they cost too much to build" ON)
add_custom_target(gridwhistle_test_programs)
function(gw_tests name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINKS;LABELS" ${ARGN})
  if(NOT GRIDWHISTLE_GRPC_TESTS AND "grpc" IN_LIST arg_LABELS)
    return()
  endif()
  add_executable(${name} ${arg_SOURCES})
  target_precompile_headers(${name} REUSE_FROM gridwhistle_test_headers)
  target_link_libraries(${name} PRIVATE
    ${arg_LINKS} gridwhistle_catch_main Catch2::Catch2 gridwhistle_flags gridwhistle_sanitizers)
  add_dependencies(gridwhistle_test_programs ${name})
  if(arg_LABELS MATCHES "grpc|unsanitized")
    add_dependencies(gridwhistle_without_sanitizers ${name})
  endif()
  # Catch2 2 has no word for a case that cannot run here: one that warns so is skipped.
  # Dots, because discovery takes the expression apart at spaces.
  catch_discover_tests(${name} TEST_PREFIX "${name}: "
    PROPERTIES SKIP_REGULAR_EXPRESSION "skipped:.this.machine" LABELS "${arg_LABELS}")
endfunction()
