// Where calls of services and e-mails go: the file that `--services` names (docs/formats.md).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ensue/result.h"
#include "ensue/sink.h"

namespace ensue::adapters {

// One operation of a service, as `createOrder` of `erp.createOrder`.
struct ServiceOperation {
  std::string path;    // below the service's address
  std::string method;  // POST, PUT, PATCH, DELETE
};

// One service, as `erp`.
struct ServiceConfig {
  std::string url;  // http or https
  std::vector<std::pair<std::string, std::string>> headers;
  std::string key_header = "Idempotency-Key";
  // The service acts once for a key, however often it is called: a call whose outcome nobody knows
  // is made again. Otherwise it is parked for a person.
  bool keeps_keys = false;
  int64_t timeout_ms = 30'000;
  std::map<std::string, ServiceOperation> operations;  // those that differ from POST and their name
};

struct SmtpConfig {
  std::string url;  // smtp://host:port or smtps://host:port
  std::string user;
  std::string password;
  bool tls_required = true;  // of smtp://: STARTTLS, or no mail
};

struct MailConfig {
  std::string from;  // of mails that no person sends
  std::string from_name;
  std::optional<SmtpConfig> smtp;
  std::string maildir;  // one of the two
};

struct DeliveryConfig {
  std::map<std::string, ServiceConfig> services;
  std::optional<MailConfig> mail;
};

// What stands in the environment; empty: no such variable.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;
Environment process_environment();

// Reads the file. `${NAME}` in a text is a variable of the environment, which must be set. Errors:
// kIo, and kInvalidArgument with the place in the file: nothing unknown is passed over.
Result<DeliveryConfig> read_delivery_config(const std::string& path, const Environment& variable);

// The sinks of a configuration; null where it has none.
struct DeliverySinks {
  std::unique_ptr<Sink> services;
  std::unique_ptr<Sink> mail;
};
Result<DeliverySinks> open_delivery(DeliveryConfig config);
// Both: of a file, with the environment of the process.
Result<DeliverySinks> open_delivery_file(const std::string& path);

}  // namespace ensue::adapters
