# Turns text files into one C++ source that holds them, so that the program needs no files of its own to run.
#   ensue_embed(OUTPUT file.cc NAMESPACE ensue::stdlib FILES a.ensue b.ensue)
set(ENSUE_EMBED_SCRIPT "${CMAKE_CURRENT_LIST_DIR}/embed.cmake")
function(ensue_embed)
  cmake_parse_arguments(ARG "" "OUTPUT;NAMESPACE" "FILES" ${ARGN})
  list(JOIN ARG_FILES "|" files)
  add_custom_command(OUTPUT "${ARG_OUTPUT}"
    COMMAND ${CMAKE_COMMAND} -DOUTPUT=${ARG_OUTPUT} -DNAMESPACE=${ARG_NAMESPACE} "-DFILES=${files}"
      -P "${ENSUE_EMBED_SCRIPT}"
    DEPENDS ${ARG_FILES} "${ENSUE_EMBED_SCRIPT}" VERBATIM COMMENT "Embedding ${ARG_NAMESPACE}")
endfunction()
