// The compiled form of a program: what a start from the same sources would make again, as bytes.
//
// A cache is an offer, never a source: it is taken when it was written by this very build, for
// these options and these sources, byte for byte, and arrived whole; anything else is refused, and
// the program is loaded from its sources. What is read is verified like what lower/ makes
// (plan::verify). docs/formats.md says what stands in the file.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/program.h"

namespace ensue::engine {

// The bytes for a program without errors, with the warnings it came with. O(program).
std::string encode_program(const Loaded& loaded);

// What load_program would give for `input`, without trees (Loaded::module is null). Empty when the
// bytes are not for this build, these options and these sources, or not whole; `input` is left as
// it was then. Takes about a twentieth of the time of load_program.
std::optional<Loaded> decode_program(std::string_view bytes, LoadInput& input);

// The checksum of a payload put right, for tests that damage what it guards.
void seal_again(std::string& bytes);

}  // namespace ensue::engine
