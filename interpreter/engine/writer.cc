#include "ensue/writer.h"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>

namespace ensue {
namespace {

size_t bytes_of(const Submission& submission) {
  size_t out = 0;
  for (const std::string& line : submission.lines) out += line.size();
  return out;
}

}  // namespace

class Writer::Impl {
 public:
  Impl(Engine& engine, WriterOptions options)
      : engine_(engine), options_(std::move(options)), thread_([this] { work(); }) {}

  ~Impl() {
    {
      std::lock_guard lock(mutex_);
      ending_ = true;
    }
    wake_.notify_one();
    thread_.join();
  }

  std::future<Result<BatchReport>> submit(Submission submission) {
    Item item;
    item.bytes = bytes_of(submission);
    item.submission = std::move(submission);
    std::future<Result<BatchReport>> out = item.committed.get_future();
    push(std::move(item));
    return out;
  }

  std::future<void> with_engine(std::function<void(Engine&)> work) {
    Item item;
    item.work = std::move(work);
    std::future<void> out = item.worked.get_future();
    push(std::move(item));
    return out;
  }

  uint64_t commits() const { return commits_; }

 private:
  struct Item {
    Submission submission;
    size_t bytes = 0;  // of its lines
    std::promise<Result<BatchReport>> committed;
    std::function<void(Engine&)> work;  // instead of a submission
    std::promise<void> worked;
  };

  void push(Item item) {
    {
      std::lock_guard lock(mutex_);
      queue_.push_back(std::move(item));
    }
    wake_.notify_one();
  }

  void work() {
    bool rested = true;
    for (;;) {
      std::vector<Item> taken;
      {
        std::unique_lock lock(mutex_);
        if (queue_.empty() && !ending_ && !rested) {
          // Nobody waits: the time for a checkpoint. A failure shows again at the next commit.
          lock.unlock();
          (void)engine_.store().when_idle();
          rested = true;
          lock.lock();
        }
        wake_.wait(lock, [&] { return !queue_.empty() || ending_; });
        if (queue_.empty()) return;
        take(taken);
      }
      rested = false;
      if (taken.front().work) {
        call(taken.front());
      } else {
        commit(taken);
      }
    }
  }

  // One piece of work, or submissions up to the next one and the bounds.
  void take(std::vector<Item>& taken) {
    size_t lines = 0;
    size_t bytes = 0;
    do {
      lines += queue_.front().submission.lines.size();
      bytes += queue_.front().bytes;
      taken.push_back(std::move(queue_.front()));
      queue_.pop_front();
    } while (!taken.back().work && !queue_.empty() && !queue_.front().work &&
             lines + queue_.front().submission.lines.size() <= options_.lines_max &&
             bytes + queue_.front().bytes <= options_.bytes_max);
  }

  void call(Item& item) {
    try {
      item.work(engine_);
      item.worked.set_value();
    } catch (...) {
      item.worked.set_exception(std::current_exception());
    }
  }

  void commit(std::vector<Item>& items) {
    std::vector<Batch> group(items.size());
    size_t lines = 0;
    for (size_t i = 0; i < items.size(); ++i) {
      const Submission& from = items[i].submission;
      group[i].source = from.source;
      group[i].cursor = from.cursor;
      group[i].needs_ids = from.needs_ids;
      for (size_t line = 0; line < from.lines.size(); ++line)
        group[i].lines.push_back({from.lines[line], from.first_number + line});
      lines += from.lines.size();
    }
    ++commits_;
    try {
      std::vector<Result<BatchReport>> reports = engine_.submit_group(group);
      // All of them are in the commit, or none.
      if (options_.committed && reports.front()) options_.committed(lines);
      for (size_t i = 0; i < items.size(); ++i) items[i].committed.set_value(std::move(reports[i]));
    } catch (...) {
      for (Item& item : items) item.committed.set_exception(std::current_exception());
    }
  }

  Engine& engine_;
  WriterOptions options_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Item> queue_;
  bool ending_ = false;
  std::atomic<uint64_t> commits_{0};
  std::thread thread_;  // last: it uses all of the above
};

Writer::Writer(Engine& engine, WriterOptions options)
    : impl_(std::make_unique<Impl>(engine, std::move(options))) {}
Writer::~Writer() = default;
std::future<Result<BatchReport>> Writer::submit(Submission submission) {
  return impl_->submit(std::move(submission));
}
std::future<void> Writer::with_engine(std::function<void(Engine&)> work) {
  return impl_->with_engine(std::move(work));
}
uint64_t Writer::commits() const { return impl_->commits(); }

}  // namespace ensue
