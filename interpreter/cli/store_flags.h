// Options of the commands that look into a store or act on it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cli/command.h"

namespace ensue::cli {

struct StoreFlags {
  std::string store;
  std::string clock = "event";
  ProgramFlags program;
  OutputFlags output;

  // `acts`: the command changes the store, so it says by which clock.
  void add_to(CLI::App& app, bool acts);
};

// `2026-03-26`, `2026-03-26T10:00` or with an offset; without one in `zone`. Empty when it is no
// such text.
std::optional<Instant> instant_option(const std::string& text, const std::string& zone);
// What is due by this machine's clock happens first, where the command goes by it.
Status catch_up(engine::Runtime& runtime, const StoreFlags& flags);
// A store for reading, or a complaint.
Result<std::shared_ptr<Store>> look_at(const StoreFlags& flags);
// The id of the user that an option names by id, username or e-mail address; the text itself where
// the store knows no such user.
Result<std::string> person_option(Store& store, const std::string& name);
std::string shown(const std::optional<Instant>& instant);
// A counter that disagrees with its charges: `user 005ana, action executions, 2026-03-26: 3 used, 4
// charged, at most 4`.
std::string described(const CounterProof& proof);

}  // namespace ensue::cli
