# Generates the lexer and the parser from grammar/*.g4 at build time.
find_program(ANTLR4_TOOL antlr4 REQUIRED)

function(ensue_grammar target)
  set(out "${CMAKE_CURRENT_BINARY_DIR}/generated")
  set(lexer_grammar "${CMAKE_CURRENT_SOURCE_DIR}/EnsueLexer.g4")
  set(parser_grammar "${CMAKE_CURRENT_SOURCE_DIR}/EnsueParser.g4")
  set(lexer_out "${out}/EnsueLexer.cpp" "${out}/EnsueLexer.h" "${out}/EnsueLexer.tokens")
  set(parser_out "${out}/EnsueParser.cpp" "${out}/EnsueParser.h")
  add_custom_command(OUTPUT ${lexer_out}
    COMMAND ${CMAKE_COMMAND} -E make_directory "${out}"
    COMMAND ${ANTLR4_TOOL} -Werror -Dlanguage=Cpp -package ensue::grammar -no-listener -o "${out}" "${lexer_grammar}"
    DEPENDS "${lexer_grammar}" VERBATIM COMMENT "Generating the lexer")
  add_custom_command(OUTPUT ${parser_out}
    COMMAND ${ANTLR4_TOOL} -Werror -Dlanguage=Cpp -package ensue::grammar -no-listener -lib "${out}" -o "${out}"
      "${parser_grammar}"
    DEPENDS "${parser_grammar}" ${lexer_out} VERBATIM COMMENT "Generating the parser")
  add_library(${target} STATIC "${out}/EnsueLexer.cpp" "${out}/EnsueParser.cpp")
  # The 4.7.2 tool writes u8"" literals that C++20 rejects, and code that does not compile without warnings.
  set_target_properties(${target} PROPERTIES CXX_STANDARD 17)
  target_compile_options(${target} PRIVATE -w)
  target_include_directories(${target} SYSTEM PUBLIC "${out}")
  target_link_libraries(${target} PUBLIC antlr4_runtime)
endfunction()
