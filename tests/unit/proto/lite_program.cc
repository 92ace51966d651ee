// Uses records and tables as a phone does. A test looks at what it was linked with.
#include <cstdio>
#include <string>

#include "gridwhistle/v1/records.pb.h"
#include "gridwhistle/v1/reference.pb.h"
#include "gridwhistle/v1/sync.pb.h"
#include "schema/fields.h"
#include "schema/kinds.h"
#include "schema/tables.h"

static_assert(gridwhistle::RecordMessage<gridwhistle::v1::Visit>);
static_assert(!gridwhistle::RecordMessage<gridwhistle::v1::TrackPoint>);
static_assert(gridwhistle::kind_of<gridwhistle::v1::Grid> == gridwhistle::kinds::kGrid);
static_assert(gridwhistle::v1::Visit::kGridFieldNumber == gridwhistle::fields::visit::kGrid);

namespace {

bool keeps_what_it_does_not_know() {
  gridwhistle::v1::Visit visit;
  visit.set_grid("440811001001001");
  const std::string written = visit.SerializeAsString() + std::string("\xC2\x3E\x02hi", 5);
  gridwhistle::v1::Visit read;
  return read.ParseFromString(written) && read.SerializeAsString() == written;
}

}  // namespace

int main() {
  const bool good = keeps_what_it_does_not_know() &&
                    gridwhistle::built_schema().kind(gridwhistle::kinds::kVisit) != nullptr;
  std::puts(good ? "ok" : "broken");
  return good ? 0 : 1;
}
