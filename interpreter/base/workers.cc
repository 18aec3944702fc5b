#include "base/workers.h"

#include <algorithm>
#include <atomic>
#include <system_error>

namespace ensue::base {

Workers::~Workers() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    ended_ = true;
  }
  begun_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

size_t Workers::parts(size_t count, size_t least) const {
  return std::clamp<size_t>(count / std::max<size_t>(least, 1), 1,
                            std::max<size_t>(threads_max_, 1));
}

void Workers::do_part(size_t part) const {
  (*work_)(part, count_ * part / parts_, count_ * (part + 1) / parts_);
}

void Workers::split(size_t count, size_t least, const Work& work) {
  size_t wanted = parts(count, least);
  try {
    while (threads_.size() + 1 < wanted) {
      threads_.emplace_back(
          [this, part = threads_.size() + 1, seen = round_] { wait_for_work(part, seen); });
    }
  } catch (const std::system_error&) {
    wanted = threads_.size() + 1;  // the system has no more: those that are there do it all
  }
  if (wanted == 1) {
    work(0, 0, count);
    return;
  }
  {
    std::lock_guard<std::mutex> lock(mutex_);
    work_ = &work;
    count_ = count;
    parts_ = wanted;
    open_ = wanted - 1;
    ++round_;
  }
  begun_.notify_all();
  do_part(0);
  std::unique_lock<std::mutex> lock(mutex_);
  done_.wait(lock, [&] { return open_ == 0; });
}

void Workers::each(size_t count, const std::function<void(size_t)>& work) {
  std::atomic<size_t> next{0};
  split(parts(count, 1), 1, [&](size_t, size_t, size_t) {
    for (size_t i = next++; i < count; i = next++) work(i);
  });
}

void Workers::wait_for_work(size_t part, uint64_t seen) {
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    begun_.wait(lock, [&] { return ended_ || (round_ != seen && part < parts_); });
    if (ended_) return;
    seen = round_;
    lock.unlock();
    do_part(part);
    lock.lock();
    if (--open_ == 0) done_.notify_one();
  }
}

}  // namespace ensue::base
