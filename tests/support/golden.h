#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

// What builds of the past have written, kept for ever in tests/golden: files compressed, frames as
// lines of hexadecimal digits. A build that cannot read one of them any more takes somebody's work
// away. Nothing writes them again: a new format gets a folder of its own beside the old ones.
namespace gridwhistle::test {

/// A file as it was, of "v1/phone.db" say. Fails the test when it is not there.
std::string golden_file(std::string_view name);

/// Lines of "what hexdigits", by what they are, in order.
std::vector<std::string> golden_lines(std::string_view name, std::string_view what);

/// For the cases that make them: keep a file, or lines of "what" and bytes. Fail the test where
/// there is one of that name, because that is kept for ever.
void keep_golden_file(std::string_view name, const std::string& bytes);
void keep_golden_lines(std::string_view name,
                       const std::vector<std::pair<std::string, std::string>>& lines);

}  // namespace gridwhistle::test
