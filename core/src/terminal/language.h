#pragma once

#include <string>
#include <vector>

namespace gridwhistle::terminal {

/// Whether who typed these words reads Chinese: by `--lang`, else by the terminal's own settings.
/// Asked before the words are understood, because what is wrong with them is told in it too.
bool reads_chinese(const std::vector<std::string>& words);

}  // namespace gridwhistle::terminal
