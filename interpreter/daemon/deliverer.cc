#include "daemon/deliverer.h"

#include "base/key128.h"

namespace ensue::daemon {
namespace {

// Calls of services and mail servers at the same time, and how often the outbox is looked at.
constexpr size_t kCallsAtOnce = 8;
constexpr std::chrono::milliseconds kAgain{1000};

}  // namespace

Deliverer::Deliverer(Intake& intake, Metrics& metrics, Log& log,
                     std::function<void(Delivery&)> call, std::function<void()> answered)
    : intake_(intake),
      metrics_(metrics),
      log_(log),
      call_(std::move(call)),
      answered_(std::move(answered)),
      thread_([this] { work(); }) {}

Deliverer::~Deliverer() {
  stop(std::chrono::milliseconds{0});
  if (thread_.joinable()) thread_.join();
}

void Deliverer::notice() {
  {
    std::lock_guard lock(mutex_);
    noticed_ = true;
  }
  changed_.notify_all();
}

bool Deliverer::stop(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  stopping_ = true;
  changed_.notify_all();
  return changed_.wait_for(lock, patience, [&] { return !working_; });
}

void Deliverer::work() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    noticed_ = false;
    lock.unlock();
    std::vector<Delivery> due;
    Status done;
    intake_.with_engine([&](Engine& engine) {
      Result<std::vector<Delivery>> begun = engine.begin_delivery(kCallsAtOnce);
      if (begun) {
        due = std::move(*begun);
      } else {
        done = begun.error();
      }
    });
    if (!due.empty()) {
      call_all(due);
      intake_.with_engine([&](Engine& engine) {
        Result<DeliveryReport> report = engine.end_delivery(due);
        if (report) {
          metrics_.delivered(*report);
        } else {
          done = report.error();
        }
      });
      tell(due);
      answered_();
    }
    if (!done) intake_.note(done);
    lock.lock();
    // More may wait behind what went through.
    if (!due.empty() && done) continue;
    changed_.wait_for(lock, kAgain, [&] { return stopping_ || noticed_; });
  }
  working_ = false;
  changed_.notify_all();
}

// Changes of records go into one file, one after the other; other calls wait side by side.
void Deliverer::call_all(std::vector<Delivery>& due) {
  std::vector<std::thread> calls;
  for (Delivery& delivery : due) {
    if (delivery.intent.channel == sink_channel_name(SinkChannel::kRecord) || due.size() == 1) {
      call_(delivery);
    } else {
      calls.emplace_back([this, &delivery] { call_(delivery); });
    }
  }
  for (std::thread& each : calls) each.join();
}

void Deliverer::tell(const std::vector<Delivery>& answered) {
  for (const Delivery& delivery : answered) {
    if (delivery.answer.kind == SinkAnswer::Kind::kDone) continue;
    log_.warning("a delivery did not go through",
                 {{"channel", delivery.intent.channel},
                  {"name", delivery.intent.name},
                  {"record", delivery.intent.record},
                  {"key", base::to_hex(delivery.intent.key)},
                  {"attempt", std::to_string(delivery.intent.attempt)},
                  {"reason", delivery.answer.text}});
  }
}

}  // namespace ensue::daemon
