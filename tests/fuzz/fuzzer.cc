#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "bodies.h"

// gw-fuzz --body=NAME [--seeds=FOLDER] [libFuzzer's own options] [corpus folders]
//
// `--seeds` writes the door's sound inputs into a folder first.
namespace {

const gridwhistle::fuzz::Body* chosen_body = nullptr;

void write_seeds(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  std::size_t number = 0;
  for (const std::string& seed : chosen_body->seeds()) {
    std::ofstream(folder / ("seed-" + std::to_string(number++)), std::ios::binary) << seed;
  }
}

[[noreturn]] void explain() {
  std::fprintf(stderr, "gw-fuzz --body=NAME [--seeds=FOLDER] ...; the names are:\n");
  for (const auto& body : gridwhistle::fuzz::bodies()) {
    std::fprintf(stderr, "%.*s\n", static_cast<int>(body.name.size()), body.name.data());
  }
  std::exit(2);
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* count, char*** words) {
  std::string_view name;
  std::string_view folder;
  for (int i = 1; i < *count; ++i) {
    const std::string_view word = (*words)[i];
    if (word.starts_with("--body=")) name = word.substr(7);
    if (word.starts_with("--seeds=")) folder = word.substr(8);
  }
  for (const auto& body : gridwhistle::fuzz::bodies()) {
    if (body.name == name) chosen_body = &body;
  }
  if (chosen_body == nullptr) explain();
  if (!folder.empty()) write_seeds(folder);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string broken = chosen_body->broken_law({reinterpret_cast<const char*>(bytes), size});
  if (broken.empty()) return 0;
  std::fprintf(stderr, "broken law: %s\n", broken.c_str());
  std::abort();
}
