# A header that says of which sources the program was built, so that it knows its own compiled programs from those of another
# version (interpreter/engine/program_cache.h).
#   ensue_identity(TARGET FILES a.cc b.h …)
set(ENSUE_IDENTITY_SCRIPT "${CMAKE_CURRENT_LIST_DIR}/identity.cmake")
function(ensue_identity target)
  cmake_parse_arguments(ARG "" "" "FILES" ${ARGN})
  set(folder "${CMAKE_BINARY_DIR}/identity")
  list(SORT ARG_FILES)
  list(JOIN ARG_FILES "\n" lines)
  file(CONFIGURE OUTPUT "${folder}/files.txt" CONTENT "${lines}\n" @ONLY)
  add_custom_command(OUTPUT "${folder}/build_identity.h"
    COMMAND ${CMAKE_COMMAND} "-DOUTPUT=${folder}/build_identity.h" "-DFILES=${folder}/files.txt" "-DROOT=${CMAKE_SOURCE_DIR}"
      "-DBUILD=${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION} ${CMAKE_SYSTEM_PROCESSOR} ${CMAKE_BUILD_TYPE}"
      -P "${ENSUE_IDENTITY_SCRIPT}"
    DEPENDS ${ARG_FILES} "${folder}/files.txt" "${ENSUE_IDENTITY_SCRIPT}" VERBATIM COMMENT "Hashing the sources")
  target_sources(${target} PRIVATE "${folder}/build_identity.h")
  target_include_directories(${target} PRIVATE "${folder}")
endfunction()
