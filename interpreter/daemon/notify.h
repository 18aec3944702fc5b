// What a service manager wants to hear: ready, reloading, stopping (sd_notify(3), without its
// library).
#pragma once

#include <string>
#include <string_view>

namespace ensue::daemon {

// Speaks to the socket that NOTIFY_SOCKET names; without one it does nothing.
class ServiceManager {
 public:
  ServiceManager();
  ~ServiceManager();
  ServiceManager(const ServiceManager&) = delete;
  ServiceManager& operator=(const ServiceManager&) = delete;

  void ready(std::string_view status) { tell("READY=1\nSTATUS=" + std::string(status)); }
  void status(std::string_view status) { tell("STATUS=" + std::string(status)); }
  void stopping() { tell("STOPPING=1"); }

 private:
  void tell(const std::string& state);
  int fd_ = -1;
};

}  // namespace ensue::daemon
