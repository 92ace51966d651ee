#pragma once

#include <string>
#include <vector>

#include "county/county.h"

namespace gridwhistle::sim {

inline constexpr const char* kGrids[] = {"440811001001001", "440811001001002", "440811001002001"};
inline constexpr const char* kTown = "440811001000";

/// Who holds a phone in the run.
struct Person {
  std::string name;
  bool walks = false;       ///< a grid worker; others are staff of the town or a department
  bool volunteers = false;  ///< or may report and no more
  std::string place;        ///< a grid's code15, the town's code12; empty for a department
  RecordId worker;
  RecordId organisation;
};

/// A small county: three grids in two villages of one town, with centres, one department, a list of
/// one item and a rule that leads to it.
class CountyData {
 public:
  /// Imports everything.
  explicit CountyData(County& county);

  std::vector<Person>& people() { return people_; }
  /// The worker, or volunteer, has another grid from now on.
  void move(County& county, Person& person, const std::string& grid);

 private:
  RecordId organisation(County& county, const std::string& code, int level,
                        const std::string& area);
  void person(County& county, const std::string& name, int role, const std::string& place,
              const RecordId& organisation);
  void areas(County& county);
  void rules(County& county);

  std::vector<Person> people_;
};

}  // namespace gridwhistle::sim
