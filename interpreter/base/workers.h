// Threads that share a piece of work, one piece at a time.
//
// What they are given is cut into parts that stand side by side: each part is done by one thread,
// and what the parts give is put together by the caller in their order, so that the number of
// threads is never seen in a result.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace ensue::base {

class Workers {
 public:
  // The caller's own thread is one of them. They begin with the first work there is for them.
  explicit Workers(size_t threads) : threads_max_(threads) {}
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  // In how many parts `count` things are cut at most, when a part of less than `least` is not worth
  // a thread. At least 1.
  size_t parts(size_t count, size_t least) const;
  // Calls `work(part, begin, end)` for each part of 0 to `count`, and returns when all have
  // returned. Called by one thread at a time, and not by `work`, which must not throw.
  using Work = std::function<void(size_t part, size_t begin, size_t end)>;
  void split(size_t count, size_t least, const Work& work);
  // Calls `work(i)` for each below `count`, each by the thread that is free next: where one may
  // take much longer than another. As split() otherwise.
  void each(size_t count, const std::function<void(size_t)>& work);

 private:
  // `seen`: the round that it came too late for.
  void wait_for_work(size_t part, uint64_t seen);
  void do_part(size_t part) const;

  size_t threads_max_;
  std::vector<std::thread> threads_;
  std::mutex mutex_;
  std::condition_variable begun_;
  std::condition_variable done_;
  uint64_t round_ = 0;
  size_t open_ = 0;  // parts of this round that others than the caller still work on
  bool ended_ = false;
  const Work* work_ = nullptr;
  size_t count_ = 0;
  size_t parts_ = 0;
};

}  // namespace ensue::base
