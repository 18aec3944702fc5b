#include "lockstep.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <memory>

#include "measure.h"
#include "recorded_writes.h"

namespace ensue::bench {
namespace {

constexpr char kStep = 's';
constexpr char kFinish = 'f';
constexpr char kDone = 'd';

}  // namespace

Partner::Partner(const std::vector<std::string>& words) {
  int to[2];
  int from[2];
  // The ends of another side are not for this one.
  if (pipe2(to, O_CLOEXEC) != 0 || pipe2(from, O_CLOEXEC) != 0) fail("no pipe to another process");
  signal(SIGPIPE, SIG_IGN);  // one that has ended is told by what it did not say
  process_ = fork();
  if (process_ < 0) fail("no other process");
  if (process_ == 0) {
    dup2(to[0], STDIN_FILENO);
    dup2(from[1], STDOUT_FILENO);
    std::vector<char*> arguments;
    std::string program = "/proc/self/exe";
    arguments.push_back(program.data());
    std::vector<std::string> copies = words;
    for (std::string& word : copies) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    execv(program.c_str(), arguments.data());
    _exit(127);
  }
  close(to[0]);
  close(from[1]);
  to_ = to[1];
  from_ = from[0];
  if (answer() != kDone) fail("a side did not begin");
}

Partner::~Partner() {
  close(to_);
  close(from_);
  if (process_ > 0) waitpid(process_, nullptr, 0);
}

char Partner::answer() {
  char out = 0;
  if (read(from_, &out, 1) != 1) fail("a side has ended before its time");
  return out;
}

void Partner::step() {
  if (write(to_, &kStep, 1) != 1 || answer() != kDone) fail("a side did not do its batch");
}

Used Partner::finish() {
  if (write(to_, &kFinish, 1) != 1) fail("a side has ended before its time");
  std::string told;
  for (char c = answer(); c != '\n'; c = answer()) told += c;
  Used out;
  if (std::sscanf(told.c_str(), "%lf %lf", &out.processor, &out.wall) != 2)
    fail("a side does not say what it used");
  int status = 0;
  waitpid(process_, &status, 0);
  process_ = -1;
  if (status != 0) fail("a side has failed");
  return out;
}

std::vector<Used> take_turns(const std::vector<std::vector<std::string>>& partners, size_t steps) {
  std::vector<std::unique_ptr<Partner>> all;
  for (const std::vector<std::string>& words : partners)
    all.push_back(std::make_unique<Partner>(words));
  for (size_t i = 0; i < steps; ++i) {
    for (size_t k = 0; k < all.size(); ++k) all[(i + k) % all.size()]->step();
  }
  std::vector<Used> out;
  for (std::unique_ptr<Partner>& partner : all) out.push_back(partner->finish());
  return out;
}

void work_in_step(const std::function<void(size_t)>& step) {
  using Clock = std::chrono::steady_clock;
  auto tell = [](std::string_view what) {
    std::fwrite(what.data(), 1, what.size(), stdout);
    std::fflush(stdout);
  };
  Used used;
  tell({&kDone, 1});
  for (size_t i = 0;; ++i) {
    char word = 0;
    if (read(STDIN_FILENO, &word, 1) != 1) fail("nobody says what to do");
    if (word == kFinish) break;
    auto begin = Clock::now();
    double processor = processor_seconds();
    step(i);
    used.processor += processor_seconds() - processor;
    used.wall += std::chrono::duration<double>(Clock::now() - begin).count();
    tell({&kDone, 1});
  }
  tell(fmt::format("{:.9f} {:.9f}\n", used.processor, used.wall));
}

}  // namespace ensue::bench
