#include "cli/delivery_flags.h"

#include "adapters/recording_sink.h"

namespace ensue::cli {

void DeliveryFlags::add_to(CLI::App& app) {
  app.add_option("--deliver", deliver,
                 "Append the changes of records that automations make to this file, each exactly "
                 "once");
  app.add_option("--services", services,
                 "A JSON file that says where calls of services and e-mails go");
}

Result<Outside> DeliveryFlags::open(bool dry_run) const {
  Outside out;
  if (!deliver.empty() && !dry_run) {
    Result<std::unique_ptr<Sink>> sink = adapters::open_recording_sink(deliver);
    if (!sink) return sink.error();
    out.records = std::move(*sink);
  }
  if (!services.empty()) {
    Result<adapters::DeliverySinks> sinks = adapters::open_delivery_file(services);
    if (!sinks) return sinks.error();
    if (dry_run) return out;
    out.services = std::move(sinks->services);
    out.mail = std::move(sinks->mail);
  }
  return out;
}

}  // namespace ensue::cli
