#include <array>

#include "engine/program_cache.h"
#include "fuzz/targets.h"
#include "source/render.h"

namespace ensue::fuzz {
namespace {

constexpr const char* kText = R"(
object Visit
  Place as text required
end
cadence "C"
  targets Lead
  track main
    step "Call" immediately: call
end
calendar "Office" in "Europe/Paris"
  open Monday - Friday 09:00 - 17:00
end
action "A" by "ana@x.test"
  when Lead is created or edited
  for my records
  if NumberOfEmployees >= 7 and City starts with "Par" and Rating is one of ("Hot", "Warm")
  then add it to cadence "C"
end
flow "Weekly"
  every Monday at 08:00 in "Europe/Paris"
  over Lead where Status is "New"
  run as system
  let found = find first Visit where Place is "Here"
  wait 2 days
  set Rating to "Hot"
end)";

const engine::LoadInput& input_of_all() {
  static const engine::LoadInput kInput{{{"fuzz.ensue", kText}}, {}, nullptr, nullptr};
  return kInput;
}

// Read, and encoded again.
std::string kept_again(const std::string& bytes) {
  engine::LoadInput input = input_of_all();
  std::optional<engine::Loaded> loaded = engine::decode_program(bytes, input);
  require(loaded.has_value(), "what was taken can be kept");
  return engine::encode_program(*loaded);
}

}  // namespace

// Every five bytes are a place (two), a width and a value: what is there is overwritten, cut out or
// pushed aside. The checksum is put right, so that the decoder sees the damage.
void fuzz_program(std::string_view bytes) {
  static const std::string kWhole = engine::encode_program(engine::load_program(input_of_all()));
  constexpr size_t kHeader = 64;
  std::string damaged = kWhole;
  for (; bytes.size() >= 5; bytes.remove_prefix(5)) {
    auto byte = [&](size_t i) { return static_cast<unsigned char>(bytes[i]); };
    size_t payload = damaged.size() - kHeader;
    if (payload == 0) break;
    size_t at = kHeader + (byte(0) * 256u + byte(1)) % payload;
    size_t width = byte(2) & 7u;
    size_t room = std::min(width, damaged.size() - at);
    std::string put(width, static_cast<char>(byte(3)));
    if (width > 0) put[0] = static_cast<char>(byte(4));
    switch (byte(2) >> 6) {
      case 0: damaged.replace(at, room, put, 0, room); break;
      case 1: damaged.erase(at, room); break;
      case 2: damaged.insert(at, put); break;
      default: damaged.resize(at); break;
    }
  }
  engine::seal_again(damaged);
  engine::LoadInput input = input_of_all();
  std::optional<engine::Loaded> loaded = engine::decode_program(damaged, input);
  if (!loaded) {
    require(input.sources.size() == 1 && input.sources[0].text == kText,
            "what is refused leaves the sources");
    return;
  }
  const engine::Program& program = *loaded->program;
  for (const plan::UnitPtr& unit : program.units) {
    require(plan::verify(*unit, program.schema(), program.functions()).empty(),
            "what is taken verifies");
    (void)plan::dump(*unit, program.schema(), program.functions());
  }
  (void)source::render_text(loaded->diagnostics, *loaded->sources, {});
  // What was taken is a program like any other: it is encoded, and read again as the same. Only the
  // first keeping may differ: a forged file calls a field of the library by a name that no program
  // gives it, and is put right.
  std::string kept = kept_again(engine::encode_program(*loaded));
  require(kept_again(kept) == kept, "keeping is stable");
}

}  // namespace ensue::fuzz
