# Third-party libraries, all from Debian 12 packages. docs/decisions/ says why each one was chosen.

find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(simdjson REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(Boost 1.74 REQUIRED)
find_package(CLI11 REQUIRED)
find_package(cereal REQUIRED)
find_package(date REQUIRED)
pkg_check_modules(UTF8PROC REQUIRED IMPORTED_TARGET libutf8proc)
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium)
find_package(prometheus-cpp REQUIRED)
find_package(CURL REQUIRED)
pkg_check_modules(HTTPLIB REQUIRED IMPORTED_TARGET cpp-httplib)
pkg_check_modules(EDIT REQUIRED IMPORTED_TARGET libedit)

# Of programs that are shipped, not of the library: a host brings its own. Sanitizers watch the one of the system, and faketime,
# which the tests use, hangs in jemalloc's beginning.
pkg_check_modules(JEMALLOC REQUIRED IMPORTED_TARGET jemalloc)
add_library(ensue_allocator INTERFACE)
target_link_libraries(ensue_allocator INTERFACE $<$<CONFIG:Release>:PkgConfig::JEMALLOC>)

find_path(ANTLR4_INCLUDE_DIR antlr4-runtime.h PATH_SUFFIXES antlr4-runtime REQUIRED)
find_library(ANTLR4_LIBRARY antlr4-runtime REQUIRED)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # clang rejects one line of the runtime's headers: const members that a defaulted constructor leaves
  # out. It reads a copy of them in which that constructor names its members; the layout is the same.
  set(patched "${CMAKE_BINARY_DIR}/antlr4-runtime")
  if(NOT EXISTS "${patched}/Vocabulary.h")
    file(COPY "${ANTLR4_INCLUDE_DIR}/" DESTINATION "${patched}")
    file(READ "${patched}/Vocabulary.h" vocabulary)
    string(REPLACE "Vocabulary() = default;" "Vocabulary() : _literalNames(), _symbolicNames(), _displayNames() {}"
      vocabulary "${vocabulary}")
    file(WRITE "${patched}/Vocabulary.h" "${vocabulary}")
  endif()
  set(ANTLR4_INCLUDE_DIR "${patched}")
endif()
add_library(antlr4_runtime INTERFACE)
target_include_directories(antlr4_runtime SYSTEM INTERFACE "${ANTLR4_INCLUDE_DIR}")
target_link_libraries(antlr4_runtime INTERFACE "${ANTLR4_LIBRARY}")

# The zone library reads the system's tz database. Without this definition it looks for a downloaded copy and crashes.
add_library(date_tz INTERFACE)
target_compile_definitions(date_tz INTERFACE USE_OS_TZDB=1)
target_link_libraries(date_tz INTERFACE date::date-tz)
