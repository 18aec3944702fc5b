// The entry that libFuzzer calls; ENSUE_FUZZ_TARGET names the target of this program.
#include <cstddef>
#include <cstdint>

#include "fuzz/targets.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ensue::fuzz::ENSUE_FUZZ_TARGET({reinterpret_cast<const char*>(data), size});
  return 0;
}
