#include "intake/json_tape.h"

#include <simdjson.h>

#include <cstring>

#include "base/byte_words.h"

namespace ensue::intake {
namespace {

namespace ondemand = simdjson::ondemand;

// The quote that closes a text, from behind the one that opens it; null when an escape comes first.
// Each text is closed, and the padding stands behind the last one.
const char* plain_end(const char* at) {
  at = base::find_either(at, '"', '\\');
  return *at == '"' ? at : nullptr;
}

struct Failure {
  simdjson::error_code code = simdjson::SUCCESS;
  std::string message;
};

}  // namespace

struct JsonTape::Parser {
  ondemand::parser parser;
  std::string buffer;  // the line, with the padding simdjson reads past its end

  // Walks one value into `nodes`. False on an error, kept in `failure`.
  bool walk(ondemand::value value, std::string_view key, size_t depth, size_t depth_max,
            std::vector<JsonNode>& nodes) {
    auto index = static_cast<uint32_t>(nodes.size());
    JsonNode node;
    node.key = key;
    node.next = index + 1;
    ondemand::json_type type;
    if (!check(value.type().get(type))) return false;
    bool fine = true;
    switch (type) {
      case ondemand::json_type::null: {
        bool is_null = false;
        fine = check(value.is_null().get(is_null)) &&
               (is_null || fail("a word that is not null, true or false"));
        break;
      }
      case ondemand::json_type::boolean:
        node.kind = JsonKind::kBoolean;
        fine = check(value.get_bool().get(node.truth));
        break;
      case ondemand::json_type::number: {
        node.kind = JsonKind::kNumber;
        std::string_view digits = value.raw_json_token();
        size_t end = digits.find_last_not_of(" \t\r\n");
        node.text = digits.substr(0, end + 1);
        fine = sound_number(node.text) || fail("a number that JSON does not allow");
        break;
      }
      case ondemand::json_type::string: {
        node.kind = JsonKind::kString;
        const char* begin = value.raw_json_token().data() + 1;
        const char* end = plain_end(begin);
        if (end != nullptr) {
          ondemand::raw_json_string passed;
          fine = check(value.get_raw_json_string().get(passed));
          node.text = {begin, static_cast<size_t>(end - begin)};
          node.plain = true;
        } else {
          fine = check(value.get_string().get(node.text));
        }
        break;
      }
      case ondemand::json_type::array:
      case ondemand::json_type::object:
        nodes.push_back(node);
        fine = type == ondemand::json_type::array
                   ? walk_array(value, index, depth, depth_max, nodes)
                   : walk_object(value, index, depth, depth_max, nodes);
        nodes[index].next = static_cast<uint32_t>(nodes.size());
        return fine;
    }
    nodes.push_back(node);
    return fine;
  }

  bool walk_array(ondemand::value value, uint32_t index, size_t depth, size_t depth_max,
                  std::vector<JsonNode>& nodes) {
    nodes[index].kind = JsonKind::kArray;
    if (depth >= depth_max) return fail("it is nested too deeply");
    ondemand::array array;
    if (!check(value.get_array().get(array))) return false;
    uint32_t count = 0;
    for (auto item : array) {
      ondemand::value child;
      if (!check(std::move(item).get(child)) || !walk(child, {}, depth + 1, depth_max, nodes))
        return false;
      ++count;
    }
    nodes[index].child_count = count;
    return true;
  }

  bool walk_object(ondemand::value value, uint32_t index, size_t depth, size_t depth_max,
                   std::vector<JsonNode>& nodes) {
    nodes[index].kind = JsonKind::kObject;
    if (depth >= depth_max) return fail("it is nested too deeply");
    ondemand::object object;
    if (!check(value.get_object().get(object))) return false;
    uint32_t count = 0;
    for (auto member : object) {
      ondemand::field field;
      if (!check(std::move(member).get(field))) return false;
      const char* begin = field.key().raw();
      const char* end = plain_end(begin);
      std::string_view key;
      if (end != nullptr) {
        key = {begin, static_cast<size_t>(end - begin)};
      } else if (!check(field.unescaped_key().get(key))) {
        return false;
      }
      if (!walk(field.value(), key, depth + 1, depth_max, nodes)) return false;
      ++count;
    }
    nodes[index].child_count = count;
    return true;
  }

  // JSON's own grammar of numbers; the token's extent is simdjson's.
  static bool sound_number(std::string_view text) {
    size_t at = 0;
    auto digit = [&] { return at < text.size() && text[at] >= '0' && text[at] <= '9'; };
    auto digits = [&] {
      size_t begin = at;
      while (digit()) ++at;
      return at > begin;
    };
    if (at < text.size() && text[at] == '-') ++at;
    if (at < text.size() && text[at] == '0') {
      ++at;
    } else if (!digits()) {
      return false;
    }
    if (at < text.size() && text[at] == '.') {
      ++at;
      if (!digits()) return false;
    }
    if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
      ++at;
      if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
      if (!digits()) return false;
    }
    return at == text.size();
  }

  bool check(simdjson::error_code code) {
    if (code == simdjson::SUCCESS) return true;
    failure = {code, plain_message(code)};
    return false;
  }

  static const char* plain_message(simdjson::error_code code) {
    switch (code) {
      case simdjson::UTF8_ERROR: return "it is not UTF-8";
      case simdjson::UNESCAPED_CHARS: return "a text holds a control character";
      case simdjson::STRING_ERROR: return "a text holds an escape that JSON does not know";
      case simdjson::UNCLOSED_STRING: return "a text is not closed";
      case simdjson::EMPTY: return "there is nothing";
      case simdjson::INCORRECT_TYPE: return "a word that is not null, true or false";
      case simdjson::DEPTH_ERROR: return "it is nested too deeply";
      case simdjson::CAPACITY:
      case simdjson::MEMALLOC: return "it is too large";
      default: return "a comma, a brace or a key is missing or superfluous";
    }
  }
  bool fail(std::string message) {
    failure = {simdjson::TAPE_ERROR, std::move(message)};
    return false;
  }

  Failure failure;
};

JsonTape::JsonTape(Bounds bounds) : bounds_(bounds), parser_(std::make_unique<Parser>()) {}
JsonTape::~JsonTape() = default;
JsonTape::JsonTape(JsonTape&&) noexcept = default;

Status JsonTape::parse(std::string_view line) {
  nodes_.clear();
  if (line.size() > bounds_.bytes_max) {
    return {ErrorCode::kBoundExceeded, "the line holds " + std::to_string(line.size()) +
                                           " bytes; at most " + std::to_string(bounds_.bytes_max) +
                                           " are read"};
  }
  Parser& p = *parser_;
  p.buffer.resize(line.size() + simdjson::SIMDJSON_PADDING);
  std::memcpy(p.buffer.data(), line.data(), line.size());
  std::memset(p.buffer.data() + line.size(), ' ', simdjson::SIMDJSON_PADDING);
  p.failure = {};
  auto error = [&]() -> Status {
    bool cut = p.failure.code == simdjson::INCOMPLETE_ARRAY_OR_OBJECT ||
               p.failure.code == simdjson::UNCLOSED_STRING ||
               p.failure.code == simdjson::TAPE_ERROR;
    std::string what = cut && !line.empty() && line.back() != '}'
                           ? "the line ends in the middle of a value"
                           : p.failure.message;
    return {ErrorCode::kInvalidArgument, "this is not JSON: " + what};
  };
  ondemand::document document;
  if (!p.check(p.parser.iterate(p.buffer.data(), line.size(), p.buffer.size()).get(document)))
    return error();
  bool scalar = false;
  if (!p.check(document.is_scalar().get(scalar))) return error();
  // The parser gives no bare value as a value: it is read as the one item of a list.
  if (scalar) {
    p.buffer.assign("[");
    p.buffer.append(line).append("]");
    size_t size = p.buffer.size();
    p.buffer.resize(size + simdjson::SIMDJSON_PADDING, ' ');
    if (!p.check(p.parser.iterate(p.buffer.data(), size, p.buffer.size()).get(document)))
      return error();
  }
  ondemand::value root;
  if (!p.check(document.get_value().get(root))) return error();
  if (!p.walk(root, {}, 0, bounds_.nesting_max, nodes_)) return error();
  const char* rest = nullptr;
  if (document.current_location().get(rest) == simdjson::SUCCESS) {
    return {ErrorCode::kInvalidArgument,
            "this is not one JSON value: something follows the first one"};
  }
  if (!scalar) return {};
  if (nodes_[0].child_count != 1) {
    return {ErrorCode::kInvalidArgument,
            "this is not one JSON value: something follows the first one"};
  }
  nodes_.erase(nodes_.begin());
  nodes_[0].next = 1;
  return {};
}

uint32_t JsonTape::find(uint32_t object, std::string_view key) const {
  if (object == kNone || nodes_[object].kind != JsonKind::kObject) return kNone;
  uint32_t child = object + 1;
  for (uint32_t i = 0; i < nodes_[object].child_count; ++i, child = nodes_[child].next) {
    if (nodes_[child].key == key) return child;
  }
  return kNone;
}

std::string_view JsonTape::text(uint32_t node) const {
  const JsonNode& row = nodes_[node];
  bool has = row.kind == JsonKind::kString || row.kind == JsonKind::kNumber;
  return has ? row.text : std::string_view();
}

std::string_view JsonTape::text(uint32_t object, std::string_view key) const {
  uint32_t found = find(object, key);
  return found == kNone ? std::string_view() : text(found);
}

}  // namespace ensue::intake
