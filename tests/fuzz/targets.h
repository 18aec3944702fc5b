// The borders of the program: what is done with bytes that nobody vouches for.
//
// A target takes any bytes, works on them the way the program does, and throws std::logic_error
// when a property does not hold; a sanitizer, a limit on time or a limit on memory finds the rest.
// libFuzzer drives each of them in a program of its own (`make fuzz`); the files of corpus/ and
// regressions/ run through the same functions in the normal tests.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace ensue::fuzz {

// A source text: parsed, checked, lowered; formatted when it has no syntax errors.
void fuzz_source(std::string_view bytes);
// One line of a stream, in any of the formats.
void fuzz_event(std::string_view bytes);
// A record's JSON text in a store. The first byte says which object.
void fuzz_record(std::string_view bytes);
// A program and the lines of a stream, `---` on a line between them, run on a store in memory.
void fuzz_run(std::string_view bytes);
// Damage done to a store file, opened and worked on afterwards.
void fuzz_store(std::string_view bytes);
// Damage done to a compiled program, whose checksum is put right again.
void fuzz_program(std::string_view bytes);

struct Target {
  const char* name;  // also of its folders of inputs
  void (*run)(std::string_view bytes);
};
std::span<const Target> targets();

// Throws std::logic_error.
void require(bool condition, const std::string& property);

}  // namespace ensue::fuzz
