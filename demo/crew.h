#pragma once

#include <cstdint>
#include <string>

namespace gridwhistle::demo {

/// A process full of phones. Reads a command a line as JSON from standard input, does it, and
/// answers in one line on standard output: {"ok":true,…} or {"ok":false,"error":"…"}; before that
/// perhaps lines {"progress":N}. Ends when its input does. Each phone has a folder of its own in
/// `folder`. Gives the exit code.
///
/// Commands, by "do"; "only" names the phones concerned, all where it is missing:
///   open {phones:[{worker,grid,port}]}, enrol {codes:{worker:code}}, sync {seconds},
///   walk {hour,visits,whistles}, emergency, headless, hotline, for_a_road {times},
///   edit {grid,who}, check_in, live {on}, desk {seconds}, counts, told.
int run_crew(const std::string& folder, std::uint64_t seed);

}  // namespace gridwhistle::demo
