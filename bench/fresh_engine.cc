#include "fresh_engine.h"

#include "ensue/stores.h"
#include "recorded_writes.h"

namespace ensue::bench {

engine::ProgramPtr load_rules(const std::string& rules) {
  engine::LoadInput input;
  input.sources.push_back({"bench.ensue", rules});
  engine::ProgramPtr out = engine::load_program(std::move(input)).program;
  if (out == nullptr) fail("the rules have errors");
  return out;
}

FreshEngine fresh_engine(std::shared_ptr<Store> store, const engine::ProgramPtr& program,
                         const std::vector<std::string>& users) {
  Result<std::unique_ptr<Engine>> engine = Engine::open(store, {});
  if (!engine) fail(engine.error().message);
  if (Status used = (*engine)->use(program); !used) fail(used.error().message);
  std::vector<InputLine> lines;
  for (const std::string& user : users) lines.push_back({user, lines.size() + 1});
  if (auto done = (*engine)->submit("users", lines); !done) fail(done.error().message);
  return {std::move(store), std::move(*engine)};
}

FreshEngine fresh_engine(const std::string& path, const std::string& rules,
                         const std::vector<std::string>& users) {
  remove_store(path);
  Result<std::shared_ptr<Store>> store = open_store(path);
  if (!store) fail(store.error().message);
  return fresh_engine(std::move(*store), load_rules(rules), users);
}

}  // namespace ensue::bench
