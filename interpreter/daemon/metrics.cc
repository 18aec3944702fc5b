#include "daemon/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include "ensue/version.h"

namespace ensue::daemon {
namespace {

using Counters = prometheus::Family<prometheus::Counter>;
using Gauges = prometheus::Family<prometheus::Gauge>;
using Histograms = prometheus::Family<prometheus::Histogram>;

}  // namespace

class Metrics::Impl {
 public:
  Impl() {
    gauges("ensue_build_info", "1; the version is a label").Add({{"version", kVersion}}).Set(1);
    // Names that are there before the first count, so that a rate begins at zero.
    for (const char* status :
         {"executed", "reminded", "suppressed", "deferred", "waiting", "failed"})
      runs.Add({{"status", status}});
    for (const char* result : {"ok", "broken", "failed"}) reloads.Add({{"result", result}});
    for (const char* state : {"ready", "claimed", "unknown", "failed"})
      outbox.Add({{"state", state}});
  }

  Counters& counters(const char* name, const char* help) {
    return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
  }
  Gauges& gauges(const char* name, const char* help) {
    return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
  }
  Histograms& histograms(const char* name, const char* help) {
    return prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
  }

  prometheus::Registry registry;
  Counters& lines = counters("ensue_lines_total", "Lines committed, by kind of source");
  Counters& events = counters("ensue_events_total", "Changes of single records, new ones");
  Counters& duplicates = counters("ensue_duplicates_total", "Events seen before");
  Counters& dead_lines = counters("ensue_dead_lines_total", "Lines that became dead letters");
  Counters& runs = counters("ensue_runs_total", "Decisions, by status");
  Counters& suppressed = counters("ensue_limit_suppressed_total",
                                  "Runs suppressed by a limit, by its scope and counter");
  Counters& timers_fired = counters("ensue_timers_fired_total", "Timers fired");
  Counters& refused = counters("ensue_refused_total", "Batches refused, by reason");
  Counters& requests = counters("ensue_http_requests_total", "HTTP requests, by status code");
  Counters& deliveries = counters("ensue_deliveries_total", "Calls of the sink, by outcome");
  Counters& reloads = counters("ensue_reloads_total", "Loads of the automations, by result");
  Gauges& loaded =
      gauges("ensue_rules_loaded_timestamp_seconds", "When the rules in force were loaded");
  Gauges& broken =
      gauges("ensue_rules_broken", "1 while the sources have errors and the last good rules act");
  Gauges& readiness = gauges("ensue_ready", "1 when events are taken");
  Gauges& queue = gauges("ensue_queue_lines", "Lines taken in and not committed yet");
  Gauges& timers = gauges("ensue_timers_pending", "Timers in the store");
  Gauges& next_timer =
      gauges("ensue_next_timer_timestamp_seconds", "When the next timer is due; 0: none");
  Gauges& schedule_runs = gauges("ensue_schedule_runs",
                                 "Firings of a schedule that ran, by flow, as the store has them");
  Gauges& schedule_missed = gauges("ensue_schedule_missed",
                                   "Firings that nothing ran for, by flow, as the store has them");
  Gauges& outbox = gauges("ensue_outbox", "Changes on their way out, by state");
  Gauges& dead_letters = gauges("ensue_dead_letters", "Dead letters in the store");
  Histograms& commits = histograms("ensue_commit_seconds", "From a batch handed in to its commit");
  prometheus::Histogram& commit_lines =
      histograms("ensue_commit_lines", "Lines that were committed together")
          .Add({}, prometheus::Histogram::BucketBoundaries{1, 10, 50, 100, 250, 500, 1000, 2000,
                                                           5000, 10'000, 100'000});
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {}
Metrics::~Metrics() = default;

void Metrics::committed(const std::string& source, const BatchReport& report, double seconds) {
  auto count = [](Counters& family, const prometheus::Labels& labels, uint64_t by) {
    if (by > 0) family.Add(labels).Increment(static_cast<double>(by));
  };
  count(impl_->lines, {{"source", source}}, report.lines);
  count(impl_->events, {}, report.events);
  count(impl_->duplicates, {}, report.duplicates);
  count(impl_->dead_lines, {}, report.dead_letters.size());
  count(impl_->timers_fired, {}, report.timers);
  for (const auto& [status, times] : report.statuses)
    count(impl_->runs, {{"status", status}}, times);
  for (const Decision& decision : report.decisions) {
    if (decision.status == "suppressed" && decision.limit)
      count(impl_->suppressed,
            {{"scope", decision.limit->scope}, {"counter", decision.limit->counter}}, 1);
  }
  static const prometheus::Histogram::BucketBoundaries kBounds{
      0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5};
  impl_->commits.Add({{"source", source}}, kBounds).Observe(seconds);
}

void Metrics::batch(size_t lines) { impl_->commit_lines.Observe(static_cast<double>(lines)); }

void Metrics::refused(const std::string& reason) {
  impl_->refused.Add({{"reason", reason}}).Increment();
}

void Metrics::answered(int status) {
  impl_->requests.Add({{"code", std::to_string(status)}}).Increment();
}

void Metrics::delivered(const DeliveryReport& report) {
  auto count = [&](const char* outcome, uint64_t by) {
    if (by > 0) impl_->deliveries.Add({{"outcome", outcome}}).Increment(static_cast<double>(by));
  };
  count("done", report.done);
  count("failed", report.failed);
  count("unknown", report.unknown);
  count("again", report.again);
}

void Metrics::reloaded(const std::string& result) {
  impl_->reloads.Add({{"result", result}}).Increment();
}

void Metrics::rules(Instant loaded_at, bool broken) {
  impl_->loaded.Add({}).Set(static_cast<double>(loaded_at.ms) / 1000);
  impl_->broken.Add({}).Set(broken ? 1 : 0);
}

void Metrics::ready(bool ready) { impl_->readiness.Add({}).Set(ready ? 1 : 0); }
void Metrics::queued(int64_t lines) { impl_->queue.Add({}).Set(static_cast<double>(lines)); }

void Metrics::store(const StoreGauges& gauges) {
  impl_->timers.Add({}).Set(static_cast<double>(gauges.timers));
  impl_->next_timer.Add({}).Set(
      gauges.next_timer ? static_cast<double>(gauges.next_timer->ms) / 1000 : 0);
  impl_->dead_letters.Add({}).Set(static_cast<double>(gauges.dead_letters));
  for (const ScheduleCount& schedule : gauges.schedules) {
    prometheus::Labels labels{{"flow", schedule.flow}};
    impl_->schedule_runs.Add(labels).Set(static_cast<double>(schedule.runs));
    impl_->schedule_missed.Add(labels).Set(static_cast<double>(schedule.missed));
  }
  for (const char* state : {"ready", "claimed", "unknown", "failed"}) {
    auto found = gauges.outbox.find(state);
    impl_->outbox.Add({{"state", state}})
        .Set(found == gauges.outbox.end() ? 0 : static_cast<double>(found->second));
  }
}

std::string Metrics::text() const {
  return prometheus::TextSerializer().Serialize(impl_->registry.Collect());
}

}  // namespace ensue::daemon
