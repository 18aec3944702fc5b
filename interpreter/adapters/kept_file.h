// A file that holds what could be made again: read when it is there, written when that goes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ensue::adapters {

// Its bytes; empty when there is no such file or it cannot be read.
std::optional<std::string> read_kept_file(const std::string& path);

// Puts `bytes` in place of what is there: written beside it, synced, then renamed, so that a reader
// finds the old bytes or the new ones. False when that does not go (a full disk, a folder that may
// not be written); then nothing is left behind.
bool write_kept_file(const std::string& path, std::string_view bytes);

}  // namespace ensue::adapters
