#include "fresh_engine.h"

#include "ensue/stores.h"
#include "recorded_writes.h"

namespace ensue::bench {

FreshEngine fresh_engine(const std::string& path, const std::string& rules,
                         const std::vector<std::string>& users) {
  remove_store(path);
  Result<std::shared_ptr<Store>> store = open_store(path);
  if (!store) fail(store.error().message);
  Result<std::unique_ptr<Engine>> engine = Engine::open(*store, {});
  if (!engine) fail(engine.error().message);
  if (!(*engine)->load({{"bench.ensue", rules}}).ok) fail("the rules have errors");
  std::vector<InputLine> lines;
  for (const std::string& user : users) lines.push_back({user, lines.size() + 1});
  if (auto done = (*engine)->submit("users", lines); !done) fail(done.error().message);
  return {*store, std::move(*engine)};
}

}  // namespace ensue::bench
