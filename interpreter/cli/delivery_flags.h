// Where a command that runs automations delivers what they ask for: changes of records, calls of
// services, mails.
#pragma once

#include <memory>
#include <string>

#include "adapters/delivery_config.h"
#include "cli/command.h"

namespace ensue::cli {

// Null where nothing is delivered.
struct Outside {
  std::unique_ptr<Sink> records;
  std::unique_ptr<Sink> services;
  std::unique_ptr<Sink> mail;
};

struct DeliveryFlags {
  std::string deliver;
  std::string services;

  void add_to(CLI::App& app);
  // A dry run reads the file of services for its mistakes, opens no other, and reaches nobody.
  // Errors: those of adapters::open_recording_sink and open_delivery_file.
  Result<Outside> open(bool dry_run) const;
};

}  // namespace ensue::cli
