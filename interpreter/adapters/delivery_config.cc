#include "adapters/delivery_config.h"

#include <cstdlib>
#include <fstream>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <sstream>

#include "adapters/http_service.h"
#include "adapters/maildir.h"
#include "adapters/smtp_mail.h"

namespace ensue::adapters {
namespace {

using Json = nlohmann::ordered_json;

// A mistake in the file; caught where the file is read.
struct Mistake {
  std::string text;
};

bool is_name_char(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

// Reads members of one object, and complains about those that nobody asked for.
class Members {
 public:
  Members(const Json& value, std::string place, const Environment& variable)
      : value_(value), place_(std::move(place)), variable_(variable) {
    if (!value_.is_object()) throw Mistake{whole() + " must be an object"};
  }

  void only(std::initializer_list<std::string_view> names) const {
    for (const auto& [name, member] : value_.items()) {
      bool known = false;
      std::string list;
      for (std::string_view other : names) {
        known = known || other == name;
        list += (list.empty() ? "" : ", ") + std::string(other);
      }
      if (!known) throw Mistake{whole() + " has no \"" + name + "\"; there are " + list};
    }
  }

  bool has(const char* name) const { return value_.contains(name); }
  std::string place(const std::string& name) const {
    return place_.empty() ? name : place_ + "." + name;
  }

  std::string text(const char* name, std::optional<std::string> otherwise = std::nullopt) const {
    if (!has(name) && otherwise) return *otherwise;
    if (!has(name)) throw Mistake{place(name) + " is missing"};
    if (!value_[name].is_string()) throw Mistake{place(name) + " must be a text"};
    return expanded(value_[name].get<std::string>(), place(name));
  }

  bool truth(const char* name, bool otherwise) const {
    if (!has(name)) return otherwise;
    if (!value_[name].is_boolean()) throw Mistake{place(name) + " must be true or false"};
    return value_[name].get<bool>();
  }

  int64_t milliseconds(const char* name, int64_t otherwise) const {
    if (!has(name)) return otherwise;
    double seconds = value_[name].is_number() ? value_[name].get<double>() : 0;
    if (!(seconds >= 0.001 && seconds <= 600))
      throw Mistake{place(name) + " must be a number of seconds, at most 600"};
    return static_cast<int64_t>(seconds * 1000);
  }

  Members object(const char* name) const { return {value_[name], place(name), variable_}; }

  // An object's members, each with its name.
  std::vector<std::pair<std::string, Members>> objects(const char* name) const {
    std::vector<std::pair<std::string, Members>> out;
    if (!has(name)) return out;
    Members inner(value_[name], place(name), variable_);
    for (const auto& [key, member] : value_[name].items())
      out.emplace_back(key, Members(member, inner.place(key), variable_));
    return out;
  }

  std::vector<std::pair<std::string, std::string>> texts(const char* name) const {
    std::vector<std::pair<std::string, std::string>> out;
    if (!has(name)) return out;
    Members inner(value_[name], place(name), variable_);
    for (const auto& [key, member] : value_[name].items())
      out.emplace_back(key, inner.text(key.c_str()));
    return out;
  }

  // `Bearer ${ERP_TOKEN}`
  std::string expanded(const std::string& text, const std::string& where) const {
    std::string out;
    for (size_t at = 0; at < text.size();) {
      size_t begin = text.find("${", at);
      out += text.substr(at, begin - at);
      if (begin == std::string::npos) break;
      size_t end = begin + 2;
      while (end < text.size() && is_name_char(text[end])) ++end;
      if (end == text.size() || text[end] != '}' || end == begin + 2)
        throw Mistake{where + ": a variable is written as ${NAME}"};
      std::string name = text.substr(begin + 2, end - begin - 2);
      std::optional<std::string> value = variable_(name);
      if (!value) throw Mistake{where + ": the environment has no " + name};
      out += *value;
      at = end + 1;
    }
    for (char c : out) {
      if (static_cast<unsigned char>(c) < ' ' || c == 0x7F)
        throw Mistake{where + " holds a control character"};
    }
    return out;
  }

 private:
  std::string whole() const { return place_.empty() ? "the file" : place_; }

  const Json& value_;
  std::string place_;
  const Environment& variable_;
};

bool starts_with_any(const std::string& text, std::initializer_list<std::string_view> starts) {
  for (std::string_view start : starts) {
    if (text.starts_with(start) && text.size() > start.size()) return true;
  }
  return false;
}

ServiceConfig read_service(const Members& row) {
  row.only({"url", "headers", "key_header", "keeps_keys", "timeout_seconds", "operations"});
  ServiceConfig out;
  out.url = row.text("url");
  if (!starts_with_any(out.url, {"http://", "https://"}))
    throw Mistake{row.place("url") + " must begin with http:// or https://"};
  while (out.url.ends_with('/')) out.url.pop_back();
  out.headers = row.texts("headers");
  out.key_header = row.text("key_header", out.key_header);
  for (const auto& [name, value] : out.headers) {
    if (name.empty() || name.find_first_of(": \t") != std::string::npos)
      throw Mistake{row.place("headers") + ": \"" + name + "\" is not the name of a header"};
  }
  out.keeps_keys = row.truth("keeps_keys", false);
  out.timeout_ms = row.milliseconds("timeout_seconds", out.timeout_ms);
  for (const auto& [name, operation] : row.objects("operations")) {
    operation.only({"path", "method"});
    ServiceOperation& to = out.operations[name];
    to.path = operation.text("path", "/" + name);
    if (!to.path.starts_with('/')) throw Mistake{operation.place("path") + " must begin with /"};
    to.method = operation.text("method", "POST");
    if (to.method != "POST" && to.method != "PUT" && to.method != "PATCH" && to.method != "DELETE")
      throw Mistake{operation.place("method") + " must be POST, PUT, PATCH or DELETE"};
  }
  return out;
}

MailConfig read_mail(const Members& row) {
  row.only({"from", "from_name", "smtp", "maildir"});
  MailConfig out;
  out.from = row.text("from", "");
  out.from_name = row.text("from_name", "");
  if (row.has("smtp") == row.has("maildir"))
    throw Mistake{row.place("smtp") + " or " + row.place("maildir") + ": one of the two"};
  if (row.has("maildir")) {
    out.maildir = row.text("maildir");
    return out;
  }
  SmtpConfig& smtp = out.smtp.emplace();
  Members inner = row.object("smtp");
  inner.only({"url", "user", "password", "tls"});
  smtp.url = inner.text("url");
  if (!starts_with_any(smtp.url, {"smtp://", "smtps://"}))
    throw Mistake{inner.place("url") + " must begin with smtp:// or smtps://"};
  smtp.user = inner.text("user", "");
  smtp.password = inner.text("password", "");
  std::string tls = inner.text("tls", "required");
  if (tls != "required" && tls != "off")
    throw Mistake{inner.place("tls") + " must be \"required\" or \"off\""};
  smtp.tls_required = tls == "required";
  return out;
}

DeliveryConfig read_all(const Json& file, const Environment& variable) {
  Members top(file, "", variable);
  top.only({"services", "email"});
  DeliveryConfig out;
  for (const auto& [name, row] : top.objects("services")) out.services[name] = read_service(row);
  if (top.has("email")) out.mail = read_mail(top.object("email"));
  return out;
}

}  // namespace

Environment process_environment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
}

Result<DeliveryConfig> read_delivery_config(const std::string& path, const Environment& variable) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream bytes;
  if (file) bytes << file.rdbuf();
  if (!file || file.bad()) return {ErrorCode::kIo, "cannot read " + path};
  try {
    return read_all(Json::parse(bytes.str()), variable);
  } catch (const Json::parse_error& error) {
    return {ErrorCode::kInvalidArgument,
            path + ": not JSON, at byte " + std::to_string(error.byte)};
  } catch (const Mistake& mistake) {
    return {ErrorCode::kInvalidArgument, path + ": " + mistake.text};
  }
}

Result<DeliverySinks> open_delivery(DeliveryConfig config) {
  DeliverySinks out;
  if (!config.services.empty()) out.services = make_http_services(std::move(config.services));
  if (!config.mail) return out;
  if (config.mail->smtp) {
    out.mail = make_smtp_mail(std::move(*config.mail));
    return out;
  }
  Result<std::unique_ptr<Sink>> maildir = open_maildir(std::move(*config.mail));
  if (!maildir) return maildir.error();
  out.mail = std::move(*maildir);
  return out;
}

Result<DeliverySinks> open_delivery_file(const std::string& path) {
  Result<DeliveryConfig> config = read_delivery_config(path, process_environment());
  if (!config) return config.error();
  return open_delivery(std::move(*config));
}

}  // namespace ensue::adapters
