# Compiler flags, the cache and the linker. One place, so that every target is built the same way.

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CCACHE_PROGRAM}")
endif()

# lld links a debug build several times faster than ld.bfd.
find_program(LLD_PROGRAM ld.lld)
if(LLD_PROGRAM)
  add_link_options(-fuse-ld=lld)
endif()

# Every such processor since 2009. Sets of fields are counted by its popcnt.
option(ENSUE_OLD_PROCESSORS "Also run on x86-64 processors from before 2009" OFF)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$" AND NOT ENSUE_OLD_PROCESSORS)
  add_compile_options(-march=x86-64-v2)
endif()

add_library(ensue_flags INTERFACE)
target_compile_options(ensue_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor
  -Woverloaded-virtual -Wcast-qual -Wformat=2 -Wundef)
if(ENSUE_WERROR)
  target_compile_options(ensue_flags INTERFACE -Werror)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 reports these inside inlined std::string and std::variant code where nothing is wrong.
  target_compile_options(ensue_flags INTERFACE -Wno-restrict -Wno-maybe-uninitialized -Wno-stringop-overflow
    -Wno-array-bounds)
endif()
if(ENSUE_SANITIZE)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # With the sanitizers' extra branches g++ 12 sees boost::optional read before it is written, inside Boost.Graph.
    add_compile_options(-Wno-uninitialized)
  endif()
  add_compile_options(-fsanitize=${ENSUE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${ENSUE_SANITIZE})
endif()
if(ENSUE_BUILD_FUZZERS)
  # Everything counts its edges for libFuzzer; only the fuzzers themselves link its main.
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if(ENSUE_COVERAGE)
  add_compile_options(--coverage -O0)
  add_link_options(--coverage)
endif()

# Adds the library of one folder of the pipeline: every .cc in the folder, and the libraries it may include.
#   ensue_library(check DEPENDS syntax types LIBRARIES fmt::fmt)
function(ensue_library name)
  cmake_parse_arguments(ARG "" "" "DEPENDS;LIBRARIES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cc")
  if(sources)
    add_library(ensue_${name} STATIC ${sources})
    set(visibility PUBLIC)
    target_link_libraries(ensue_${name} PRIVATE ensue_flags ${ARG_LIBRARIES})
  else()
    add_library(ensue_${name} INTERFACE)
    set(visibility INTERFACE)
  endif()
  target_include_directories(ensue_${name} ${visibility} "${CMAKE_CURRENT_SOURCE_DIR}"
    "${CMAKE_CURRENT_SOURCE_DIR}/include")
  foreach(dependency IN LISTS ARG_DEPENDS)
    target_link_libraries(ensue_${name} ${visibility} ensue_${dependency})
  endforeach()
endfunction()
