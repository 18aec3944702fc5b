#include <nlohmann/json.hpp>

#include "source/render.h"

namespace ensue::source {
namespace {

using Json = nlohmann::ordered_json;

Json place_json(const Place& place) {
  return Json{{"file", place.file},
              {"begin", place.begin},
              {"end", place.end},
              {"line", place.line},
              {"column", place.column},
              {"end_line", place.end_line},
              {"end_column", place.end_column}};
}

Json label_json(const Label& label) {
  return Json{{"place", place_json(label.place)}, {"text", label.text}};
}

Json diagnostic_json(const Diagnostic& diagnostic) {
  Json out{{"code", diagnostic.code},
           {"name", diagnostic.name},
           {"severity", diagnostic.severity == Severity::kError ? "error" : "warning"},
           {"message", diagnostic.message},
           {"place", place_json(diagnostic.primary.place)},
           {"text", diagnostic.primary.text}};
  Json labels = Json::array();
  for (const Label& label : diagnostic.labels) labels.push_back(label_json(label));
  out["labels"] = std::move(labels);
  out["notes"] = diagnostic.notes;
  out["fix"] = nullptr;
  if (diagnostic.fix) {
    out["fix"] = Json{{"title", diagnostic.fix->title},
                      {"place", place_json(diagnostic.fix->place)},
                      {"replacement", diagnostic.fix->replacement}};
  }
  return out;
}

}  // namespace

std::string render_json(std::span<const Diagnostic> diagnostics) {
  Json out = Json::array();
  for (const Diagnostic& diagnostic : diagnostics) out.push_back(diagnostic_json(diagnostic));
  return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace ensue::source
