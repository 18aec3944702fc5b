#include "cli/command.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "adapters/memory_store.h"
#include "adapters/sqlite_store.h"
#include "adapters/store_care.h"
#include "base/near_miss.h"
#include "calendar/zone.h"
#include "ensue/currency.h"
#include "source/render.h"

namespace ensue::cli {

namespace fs = std::filesystem;

// ---- Options ----------------------------------------------------------------------------------

void ProgramFlags::add_to(CLI::App& app, bool paths_required) {
  auto* option = app.add_option("PATH", paths, "Files, or folders read recursively for *.ensue");
  if (paths_required) option->required();
  app.add_option("--zone", zone,
                 "The org's time zone where no `day starts at` names one (IANA name)")
      ->capture_default_str();
  app.add_option("--currency", currency, "The org's currency (ISO 4217)")->capture_default_str();
  app.add_option("--as", as, "The author of actions without `by`");
}

std::optional<std::string> ProgramFlags::problem() const {
  if (!calendar::Zone::find(zone)) {
    std::string hint;
    if (auto near = base::nearest(zone, calendar::zone_names()))
      hint = fmt::format("; did you mean \"{}\"?", *near);
    return fmt::format("there is no time zone \"{}\"{}", zone, hint);
  }
  if (!is_currency_code(currency))
    return fmt::format("\"{}\" is not a currency code of ISO 4217", currency);
  return std::nullopt;
}

ProgramOptions ProgramFlags::options() const {
  ProgramOptions out;
  out.zone = zone;
  out.currency = currency;
  out.author = as;
  return out;
}

void OutputFlags::add_to(CLI::App& app) {
  app.add_option("--format", format, "text for people, json for machines")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  app.add_option("--color", color, "auto, always or never")
      ->check(CLI::IsMember({"auto", "always", "never"}))
      ->capture_default_str();
}

bool OutputFlags::colored(int fd) const {
  if (color != "auto") return color == "always";
  return ::isatty(fd) != 0 && std::getenv("NO_COLOR") == nullptr;
}

// ---- Errors -----------------------------------------------------------------------------------

void complain(const std::string& message) { fmt::print(stderr, "ensue: {}\n", harmless(message)); }

int exit_code_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kIo:
    case ErrorCode::kStorageFull:
    case ErrorCode::kStoreLocked:
    case ErrorCode::kStoreTooNew:
    case ErrorCode::kStoreDamaged: return kExitWorld;
    case ErrorCode::kCancelled: return kExitInterrupted;
    default: return kExitWrong;
  }
}

int fail(const Error& error) {
  complain(error.message);
  return exit_code_of(error.code);
}

// ---- Sources ----------------------------------------------------------------------------------

Result<std::string> read_file(const std::string& path) {
  std::error_code error;
  fs::file_status status = fs::status(path, error);
  if (!fs::exists(status)) return {ErrorCode::kIo, fmt::format("there is no file {}", path)};
  if (fs::is_directory(status)) return {ErrorCode::kIo, fmt::format("{} is a folder", path)};
  std::ifstream file(path, std::ios::binary);
  if (!file) return {ErrorCode::kIo, fmt::format("cannot read {}: {}", path, std::strerror(errno))};
  std::ostringstream bytes;
  bytes << file.rdbuf();
  if (file.bad())
    return {ErrorCode::kIo, fmt::format("cannot read {}: {}", path, std::strerror(errno))};
  return std::move(bytes).str();
}

Result<std::vector<std::string>> find_sources(const std::vector<std::string>& paths) {
  std::vector<std::string> out;
  std::set<std::string> seen;
  auto add = [&](const std::string& path) {
    std::error_code error;
    std::string canonical = fs::weakly_canonical(path, error).string();
    if (seen.insert(canonical).second) out.push_back(path);
  };
  for (const std::string& path : paths) {
    std::error_code error;
    if (!fs::is_directory(path, error)) {
      if (!fs::exists(path, error))
        return {ErrorCode::kIo, fmt::format("there is no file or folder {}", path)};
      add(path);
      continue;
    }
    std::vector<std::string> found;
    std::string inner = path;
    fs::recursive_directory_iterator walk(path, error);
    for (; !error && walk != fs::recursive_directory_iterator(); walk.increment(error)) {
      inner = walk->path().string();
      std::error_code unknown;
      if (walk->path().extension() == ".ensue" && walk->is_regular_file(unknown))
        found.push_back(inner);
    }
    if (error) return {ErrorCode::kIo, fmt::format("cannot read {}: {}", inner, error.message())};
    std::sort(found.begin(), found.end());
    for (const std::string& file : found) add(file);
  }
  return out;
}

Result<std::vector<SourceText>> read_sources(const std::vector<std::string>& paths) {
  Result<std::vector<std::string>> files = find_sources(paths);
  if (!files) return files.error();
  std::vector<SourceText> out;
  for (const std::string& file : *files) {
    Result<std::string> text = read_file(file);
    if (!text) return text.error();
    out.push_back({file, std::move(*text)});
  }
  if (out.empty() && !paths.empty())
    complain(fmt::format("there are no .ensue files in {}", fmt::join(paths, ", ")));
  return out;
}

void print_diagnostics(const engine::Loaded& loaded, const OutputFlags& output, bool as_result) {
  if (output.json()) {
    fmt::print(as_result ? stdout : stderr, "{}\n", source::render_json(loaded.diagnostics));
    return;
  }
  if (loaded.diagnostics.empty()) return;
  source::RenderOptions options;
  options.color = output.colored(STDERR_FILENO);
  fmt::print(stderr, "{}", source::render_text(loaded.diagnostics, *loaded.sources, options));
}

LoadedProgram load_or_complain(const ProgramFlags& flags, const OutputFlags& output,
                               bool show_warnings, const Loader& load) {
  LoadedProgram out;
  if (auto problem = flags.problem()) {
    complain(*problem);
    out.exit_code = kExitUsage;
    return out;
  }
  Result<std::vector<SourceText>> sources = read_sources(flags.paths);
  if (!sources) {
    out.exit_code = fail(sources.error());
    return out;
  }
  out.loaded = load({std::move(*sources), flags.options(), nullptr, nullptr});
  if (out.loaded.has_errors || (show_warnings && out.loaded.has_warnings))
    print_diagnostics(out.loaded, output, out.loaded.has_errors);
  if (out.loaded.has_errors) {
    fmt::print(stderr, "{}\n", source::render_counts(out.loaded.diagnostics));
    out.exit_code = kExitWrong;
  }
  return out;
}

// ---- Stores -----------------------------------------------------------------------------------

Result<std::shared_ptr<Store>> open_store(const std::string& path, bool own) {
  if (path.empty()) return std::shared_ptr<Store>(adapters::make_memory_store());
  auto opened = own ? adapters::open_sqlite_store(path, adapters::StoreAccess::kOwn)
                    : adapters::look_at_store(path);
  if (!opened) return opened.error();
  return std::shared_ptr<Store>(std::move(*opened));
}

Result<std::vector<SourceText>> stored_sources(Store& store) {
  std::optional<std::string> text;
  Status looked = store.read([&](StoreReader& reader) -> Status {
    Result<std::optional<std::string>> meta = reader.meta("sources");
    if (!meta) return meta.error();
    text = *meta;
    return {};
  });
  if (!looked) return looked.error();
  std::vector<SourceText> out;
  if (!text) return out;
  auto rows = nlohmann::json::parse(*text, nullptr, false);
  if (!rows.is_array())
    return {ErrorCode::kStoreDamaged, "the automations kept in the store cannot be read"};
  for (const auto& row : rows) out.push_back({row.value("name", ""), row.value("text", "")});
  return out;
}

Status keep_sources(Store& store, const engine::Program& program) {
  const ProgramOptions& options = program.options;
  nlohmann::json flags{
      {"zone", options.zone}, {"currency", options.currency}, {"as", options.author}};
  return store.commit([&](StoreTxn& txn) -> Status {
    Result<std::optional<std::string>> known = txn.meta("program");
    if (!known) return known.error();
    if (known->value_or("") == program.fingerprint) return {};
    nlohmann::json rows = nlohmann::json::array();
    for (const source::SourceFile* file : program.sources())
      rows.push_back({{"name", file->name()}, {"text", file->text()}});
    if (Status put = txn.put_meta("program", program.fingerprint); !put) return put;
    if (Status put = txn.put_meta("flags", flags.dump()); !put) return put;
    return txn.put_meta("sources",
                        rows.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  });
}

OpenedRuntime open_runtime(const std::string& store_path, const ProgramFlags& flags,
                           const OutputFlags& output, bool own) {
  OpenedRuntime out;
  if (auto problem = flags.problem()) {
    complain(*problem);
    out.exit_code = kExitUsage;
    return out;
  }
  Result<std::shared_ptr<Store>> store = open_store(store_path, own);
  if (!store) {
    out.exit_code = fail(store.error());
    return out;
  }
  Result<std::vector<SourceText>> sources =
      flags.paths.empty() ? stored_sources(**store) : read_sources(flags.paths);
  if (!sources) {
    out.exit_code = fail(sources.error());
    return out;
  }
  ProgramOptions options = flags.options();
  if (flags.paths.empty()) {
    Status looked = (*store)->read([&](StoreReader& reader) -> Status {
      Result<std::optional<std::string>> kept = reader.meta("flags");
      if (!kept) return kept.error();
      auto row = nlohmann::json::parse(kept->value_or("{}"), nullptr, false);
      if (!row.is_object()) return {};
      if (flags.zone == "UTC") options.zone = row.value("zone", options.zone);
      if (flags.currency == "USD") options.currency = row.value("currency", options.currency);
      options.author = row.value("as", options.author);
      return {};
    });
    if (!looked) {
      out.exit_code = fail(looked.error());
      return out;
    }
  }
  engine::Loaded loaded = engine::load_program({std::move(*sources), options, nullptr});
  if (loaded.has_errors) {
    print_diagnostics(loaded, output, false);
    out.exit_code = kExitWrong;
    return out;
  }
  out.runtime = std::make_unique<engine::Runtime>(*store, engine::RuntimeOptions{});
  if (Status used = out.runtime->use(loaded.program); !used) out.exit_code = fail(used.error());
  return out;
}

// ---- Text -------------------------------------------------------------------------------------

std::string grouped(uint64_t number) {
  std::string out = std::to_string(number);
  for (auto at = static_cast<std::ptrdiff_t>(out.size()) - 3; at > 0; at -= 3)
    out.insert(static_cast<size_t>(at), ",");
  return out;
}

std::string counted(uint64_t count, const std::string& singular, const std::string& plural) {
  if (count == 1) return "1 " + singular;
  return grouped(count) + " " + (plural.empty() ? singular + "s" : plural);
}

std::string table(const std::vector<std::vector<std::string>>& cells,
                  const std::vector<bool>& right) {
  std::vector<std::vector<std::string>> rows = cells;
  for (auto& row : rows) {
    for (std::string& cell : row) {
      std::replace(cell.begin(), cell.end(), '\n', ' ');  // a cell is one line
      cell = harmless(cell);
    }
  }
  auto width_of = [](const std::string& text) {
    return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
      return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    }));
  };
  std::vector<size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  std::string out;
  for (const auto& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      size_t padding = widths[i] - width_of(row[i]);
      bool to_right = i < right.size() && right[i];
      if (i > 0) line += "  ";
      if (to_right) line.append(padding, ' ');
      line += row[i];
      if (!to_right) line.append(padding, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

std::string harmless(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    auto c = static_cast<unsigned char>(text[i]);
    size_t end = c == 0x1B && i + 1 < text.size() && text[i + 1] == '['
                     ? text.find_first_not_of("0123456789;", i + 2)
                     : std::string::npos;
    bool color = end != std::string::npos && text[end] == 'm';
    bool control = (c < 0x20 && c != '\n' && c != '\t') || c == 0x7F;
    if (control && !color) {
      out += fmt::format("\\u{{{:x}}}", c);
    } else {
      out += text[i];
    }
  }
  return out;
}

void print(const std::string& text) {
  std::string shown = harmless(text);
  std::fwrite(shown.data(), 1, shown.size(), stdout);
}

}  // namespace ensue::cli
