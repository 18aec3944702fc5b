// Sides of a measurement that take turns batch by batch, each in a process of its own: they meet
// the same machine at the same time, and none meets what another has left in memory.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace ensue::bench {

// What a side has used for its batches.
struct Used {
  double processor = 0;  // seconds
  double wall = 0;       // seconds
};

// This program once more, with other words, at work as its side says. Ends the process when that
// process fails.
class Partner {
 public:
  // Ready for its first batch when the constructor returns.
  explicit Partner(const std::vector<std::string>& words);
  ~Partner();
  Partner(const Partner&) = delete;
  Partner& operator=(const Partner&) = delete;

  void step();
  Used finish();

 private:
  char answer();

  pid_t process_ = -1;
  int to_ = -1;
  int from_ = -1;
};

// Lets each partner do its batches in turn, another one first each time, and gives what each used.
std::vector<Used> take_turns(const std::vector<std::vector<std::string>>& partners, size_t steps);

// The partner's own end: does a batch whenever it is told to by standard input, and tells on
// standard output what they used. `step` gets the number of the batch.
void work_in_step(const std::function<void(size_t)>& step);

}  // namespace ensue::bench
