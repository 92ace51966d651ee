#pragma once

#include <string>
#include <string_view>

#include "import/problem.h"
#include "import/reference.h"

// One reader a file. Each puts what it could read into the reference data and complains of the
// rest, line by line; what must fit together across lines and files is checked by checks.h.
// data/mazhang/README.md lists the columns and keys.
namespace gridwhistle::import {

void read_areas(const std::string& file, std::string_view bytes, Reference& into,
                Problems& problems);
void read_grids(const std::string& file, std::string_view bytes, Reference& into,
                Problems& problems);
void read_organisations(const std::string& file, std::string_view bytes, Reference& into,
                        Problems& problems);
void read_workers(const std::string& file, std::string_view bytes, Reference& into,
                  Problems& problems);
void read_categories(const std::string& file, std::string_view bytes, Reference& into,
                     Problems& problems);
void read_responsibility(const std::string& file, std::string_view bytes, Reference& into,
                         Problems& problems);
void read_rules(const std::string& file, std::string_view bytes, Reference& into,
                Problems& problems);

}  // namespace gridwhistle::import
