#include "intake/json_tape.h"

#include <simdjson.h>

#include <algorithm>
#include <cstring>

#include "base/byte_words.h"
#include "base/check.h"

namespace ensue::intake {
namespace {

// The quote that closes a text, from behind the one that opens it; null when an escape comes first.
// Each text is closed, and the padding stands behind the last one.
const char* plain_end(const char* at) {
  at = base::find_either(at, '"', '\\');
  return *at == '"' ? at : nullptr;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// What may stand behind a number or a word.
bool ends_token(char c) {
  switch (c) {
    case ' ':
    case '\t':
    case '\r':
    case '\n':
    case ',':
    case ':':
    case '[':
    case ']':
    case '{':
    case '}': return true;
    default: return false;
  }
}

// The end of a number by JSON's own grammar; null where there is none.
const char* number_end(const char* at) {
  auto digits = [&] {
    const char* begin = at;
    while (is_digit(*at)) ++at;
    return at > begin;
  };
  if (*at == '-') ++at;
  if (*at == '0') {
    ++at;
  } else if (!digits()) {
    return nullptr;
  }
  if (*at == '.') {
    ++at;
    if (!digits()) return nullptr;
  }
  if (*at == 'e' || *at == 'E') {
    ++at;
    if (*at == '+' || *at == '-') ++at;
    if (!digits()) return nullptr;
  }
  return at;
}

struct Failure {
  simdjson::error_code code = simdjson::SUCCESS;
  std::string message;
};

const char* plain_message(simdjson::error_code code) {
  switch (code) {
    case simdjson::UTF8_ERROR: return "it is not UTF-8";
    case simdjson::UNESCAPED_CHARS: return "a text holds a control character";
    case simdjson::STRING_ERROR: return "a text holds an escape that JSON does not know";
    case simdjson::UNCLOSED_STRING: return "a text is not closed";
    case simdjson::EMPTY: return "there is nothing";
    case simdjson::CAPACITY:
    case simdjson::MEMALLOC: return "it is too large";
    default: return "a comma, a brace or a key is missing or superfluous";
  }
}

// Goes through a line from token to token. Where the tokens begin stands in `at`; behind the last
// of them stands the end of the line, where the padding begins, which is no token.
struct Walk {
  const char* line;
  const uint32_t* at;
  JsonNode* nodes;
  size_t depth_max;
  const simdjson::internal::dom_parser_implementation& unescaper;
  uint8_t* unescaped;  // where the next text with escapes goes
  bool escapes;        // whether there is a backslash anywhere
  uint32_t count = 0;  // of nodes
  Failure failure{};

  char token() const { return line[*at]; }

  // Most values are texts.
  bool walk(std::string_view key, size_t depth) {
    JsonNode& node = nodes[count++];
    node.key = key;
    node.next = count;
    node.child_count = 0;
    if (token() != '"') return walk_other(node, depth);
    node.kind = JsonKind::kString;
    return text(node.text, node.plain);
  }

  bool walk_other(JsonNode& node, size_t depth) {
    const char* begin = line + *at;
    switch (*begin) {
      case '{': return walk_object(node, depth);
      case '[': return walk_array(node, depth);
      case 't': return word(node, JsonKind::kBoolean, begin, "true");
      case 'f': return word(node, JsonKind::kBoolean, begin, "false");
      case 'n': return word(node, JsonKind::kNull, begin, "null");
      default: break;
    }
    if (*begin != '-' && !is_digit(*begin)) return fail();
    const char* end = number_end(begin);
    if (end == nullptr || !ends_token(*end)) return fail("a number that JSON does not allow");
    ++at;
    node.kind = JsonKind::kNumber;
    node.text = {begin, static_cast<size_t>(end - begin)};
    return true;
  }

  // Of a text or a key.
  bool text(std::string_view& out, bool& plain) {
    const char* begin = line + *at++;
    const char* end = escapes ? plain_end(begin + 1) : nullptr;
    plain = !escapes || end != nullptr;
    if (!plain) return unescape(begin + 1, out);
    out = escapes ? std::string_view(begin + 1, end) : plain_text(begin, line + *at);
    return true;
  }
  // A text without escapes, from its first quote on; `next` is the token behind it.
  static std::string_view plain_text(const char* begin, const char* next) {
    do --next;  // white space
    while (*next != '"');
    return {begin + 1, next};
  }
  bool unescape(const char* begin, std::string_view& out) {
    uint8_t* end = unescaper.parse_string(reinterpret_cast<const uint8_t*>(begin), unescaped);
    if (end == nullptr) return fail(simdjson::STRING_ERROR);
    out = {reinterpret_cast<char*>(unescaped), static_cast<size_t>(end - unescaped)};
    unescaped = end;
    return true;
  }

  bool word(JsonNode& node, JsonKind kind, const char* begin, std::string_view wanted) {
    if (std::string_view(begin, wanted.size()) != wanted || !ends_token(begin[wanted.size()]))
      return fail("a word that is not null, true or false");
    ++at;
    node.kind = kind;
    node.text = {};
    node.truth = *begin == 't';
    return true;
  }

  // Through the items of an array or the members of an object; `item` reads one.
  template <class Item>
  bool walk_items(JsonNode& node, JsonKind kind, char close, size_t depth, Item item) {
    node.kind = kind;
    node.text = {};
    if (depth >= depth_max) return fail("it is nested too deeply");
    ++at;
    uint32_t items = 0;
    if (token() != close) {
      for (;; ++at) {
        if (!item()) return false;
        ++items;
        if (token() != ',') break;
      }
      if (token() != close) return fail();
    }
    ++at;
    node.child_count = items;
    node.next = count;
    return true;
  }

  bool walk_array(JsonNode& node, size_t depth) {
    return walk_items(node, JsonKind::kArray, ']', depth, [&] { return walk({}, depth + 1); });
  }

  // A key and a text, as most members are, where nothing on the line is escaped; false, and nothing
  // is done, where it is something else.
  bool walk_plain_member() {
    const char* const text = line;
    const uint32_t* const key = at;
    if (text[key[1]] != ':' || text[key[2]] != '"') return false;
    JsonNode& node = nodes[count++];
    node.kind = JsonKind::kString;
    node.plain = true;
    node.next = count;
    node.child_count = 0;
    node.key = plain_text(text + key[0], text + key[1]);
    node.text = plain_text(text + key[2], text + key[3]);
    at = key + 3;
    return true;
  }

  bool walk_object(JsonNode& node, size_t depth) {
    return walk_items(node, JsonKind::kObject, '}', depth, [&] {
      if (token() != '"') return fail();
      if (!escapes && walk_plain_member()) return true;
      std::string_view key;
      bool plain = false;
      if (!text(key, plain)) return false;
      if (token() != ':') return fail();
      ++at;
      return walk(key, depth + 1);
    });
  }

  bool fail(simdjson::error_code code = simdjson::TAPE_ERROR) {
    failure = {code, plain_message(code)};
    return false;
  }
  bool fail(const char* message) {
    failure = {simdjson::TAPE_ERROR, message};
    return false;
  }
};

Status not_json(std::string_view line, const Failure& failure) {
  bool cut = failure.code == simdjson::UNCLOSED_STRING || failure.code == simdjson::TAPE_ERROR;
  std::string what = cut && !line.empty() && line.back() != '}'
                         ? "the line ends in the middle of a value"
                         : failure.message;
  return {ErrorCode::kInvalidArgument, "this is not JSON: " + what};
}

}  // namespace

// simdjson finds where the tokens of a line begin, and looks at its UTF-8 and its quotes; going
// from token to token is done here (decision 46).
struct JsonTape::Parser {
  simdjson::dom::parser tokens;
  std::string buffer;     // the line, with the padding that is read behind its end
  std::string unescaped;  // texts that held escapes
};

JsonTape::JsonTape(Bounds bounds) : bounds_(bounds), parser_(std::make_unique<Parser>()) {}
JsonTape::~JsonTape() = default;
JsonTape::JsonTape(JsonTape&&) noexcept = default;
JsonTape& JsonTape::operator=(JsonTape&&) noexcept = default;

Status JsonTape::parse(std::string_view line) {
  if (line.size() > bounds_.bytes_max) {
    return {ErrorCode::kBoundExceeded, "the line holds " + std::to_string(line.size()) +
                                           " bytes; at most " + std::to_string(bounds_.bytes_max) +
                                           " are read"};
  }
  Parser& p = *parser_;
  size_t padded = line.size() + simdjson::SIMDJSON_PADDING;
  // What one long line needed, some thirty times its bytes, is not kept for the short ones behind.
  constexpr size_t kKeptBytes = size_t{256} << 10;
  if (p.buffer.size() > kKeptBytes && padded <= kKeptBytes) {
    p = Parser();
    std::vector<JsonNode>().swap(nodes_);
  }
  if (p.buffer.size() < padded) {
    size_t room = std::max(padded, 2 * p.buffer.size());
    if (padded <= kKeptBytes) room = std::min(room, kKeptBytes);
    if (auto error = p.tokens.allocate(room)) {
      p = Parser();
      return not_json(line, {error, plain_message(error)});
    }
    p.buffer.resize(room);
    p.unescaped.resize(room);
  }
  std::memcpy(p.buffer.data(), line.data(), line.size());
  std::memset(p.buffer.data() + line.size(), ' ', simdjson::SIMDJSON_PADDING);
  auto& tokens = *p.tokens.implementation;
  auto error = tokens.stage1(reinterpret_cast<const uint8_t*>(p.buffer.data()), line.size(),
                             simdjson::stage1_mode::regular);
  if (error) return not_json(line, {error, plain_message(error)});
  // A value has a token of its own and one that parts it from the next, but for those that are
  // still open where something goes wrong.
  size_t values_max = tokens.n_structural_indexes / 2 + bounds_.nesting_max + 1;
  if (nodes_.size() < values_max) nodes_.resize(values_max);
  Walk walk{p.buffer.data(),
            tokens.structural_indexes.get(),
            nodes_.data(),
            bounds_.nesting_max,
            tokens,
            reinterpret_cast<uint8_t*>(p.unescaped.data()),
            line.find('\\') != std::string_view::npos};
  bool whole = walk.walk({}, 0);
  ENSUE_CHECK(walk.count <= values_max);
  if (!whole) return not_json(line, walk.failure);
  if (walk.at != tokens.structural_indexes.get() + tokens.n_structural_indexes) {
    return {ErrorCode::kInvalidArgument,
            "this is not one JSON value: something follows the first one"};
  }
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
