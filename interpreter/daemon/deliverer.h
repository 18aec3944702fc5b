// What leaves the process: claimed between two commits, called on threads of its own, its answers
// noted. A slow service holds up no event, and a stop does not wait for one that does not answer.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "daemon/intake.h"

namespace ensue::daemon {

class Deliverer {
 public:
  // `call` calls the sink of one delivery, from any thread (Engine::caller); `answered` is called
  // after answers were noted: a run that waited for one is due.
  Deliverer(Intake& intake, Metrics& metrics, Log& log, std::function<void(Delivery&)> call,
            std::function<void()> answered);
  ~Deliverer();
  Deliverer(const Deliverer&) = delete;
  Deliverer& operator=(const Deliverer&) = delete;

  // Something may wait to leave. From any thread; does not wait.
  void notice();
  // Begins nothing more; false when calls are still under way after this time. They are settled by
  // the next start, and this object must then outlive the process.
  bool stop(std::chrono::milliseconds patience);

 private:
  void work();
  void call_all(std::vector<Delivery>& due);
  void tell(const std::vector<Delivery>& answered);

  Intake& intake_;
  Metrics& metrics_;
  Log& log_;
  std::function<void(Delivery&)> call_;
  std::function<void()> answered_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool noticed_ = false;  // under mutex_, as are the next
  bool stopping_ = false;
  bool working_ = true;
  std::thread thread_;
};

}  // namespace ensue::daemon
