#include "grid_day.h"

#include <array>
#include <chrono>
#include <string>

#include "matters.h"

namespace gridwhistle::demo {

namespace {

struct Point {
  double latitude = 0;
  double longitude = 0;
};

std::int64_t story_ms(int hour, int minute) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto days = std::chrono::duration_cast<std::chrono::days>(now - std::chrono::days(1));
  // The story's day is yesterday in China, so that nothing lies in the future.
  return std::chrono::duration_cast<std::chrono::milliseconds>(days + std::chrono::hours(hour - 8) +
                                                               std::chrono::minutes(minute))
      .count();
}

std::size_t pick(Phone& phone, std::size_t count) {
  return std::uniform_int_distribution<std::size_t>(0, count - 1)(phone.dice());
}

// A place in the phone's own grid, as the phone itself finds it: not so near a boundary that it
// would have to ask.
Point near_middle(Phone& phone, const std::pair<double, double>& middle) {
  std::uniform_real_distribution<double> metres(-400.0, 400.0);
  constexpr double kMetresPerDegree = 111'320.0;
  for (int i = 0; i < 8; ++i) {
    const Point point = {middle.first + metres(phone.dice()) / kMetresPerDegree,
                         middle.second + metres(phone.dice()) / kMetresPerDegree};
    const auto where = phone.client().locate(point.latitude, point.longitude, 8);
    if (where && where->grid == phone.seat().grid) return point;
  }
  return {middle.first, middle.second};
}

template <typename T>
void stand_at(T& record, const Point& point) {
  record.set_latitude(point.latitude);
  record.set_longitude(point.longitude);
  record.set_accuracy_m(8);
  record.set_coordinate_source(v1::COORDINATE_SOURCE_GNSS);
}

Result<void> attend(Phone& phone, const Point& point, v1::AttendanceType type, std::int64_t at_ms) {
  v1::Attendance attendance;
  attendance.set_grid(phone.seat().grid);
  attendance.set_worker(std::string(phone.client().status().worker.bytes()));
  attendance.set_type(type);
  attendance.set_at_ms(at_ms);
  stand_at(attendance, point);
  Entry entry(phone);
  entry.create(attendance);
  return entry.commit();
}

Result<RecordId> start_patrol(Phone& phone, const Point& point, std::int64_t at_ms) {
  v1::Visit patrol;
  patrol.set_grid(phone.seat().grid);
  patrol.set_kind(v1::VISIT_KIND_PATROL);
  patrol.set_worker(std::string(phone.client().status().worker.bytes()));
  patrol.set_started_ms(at_ms);
  stand_at(patrol, point);
  Entry entry(phone);
  const RecordId id = entry.create(patrol);
  if (auto done = entry.commit(); !done) return std::unexpected(done.error());
  return id;
}

Result<void> note_track(Phone& phone, const RecordId& patrol, const Point& from,
                        std::int64_t at_ms) {
  v1::TrackBatch track;
  track.set_visit(std::string(patrol.bytes()));
  track.set_worker(std::string(phone.client().status().worker.bytes()));
  track.set_started_ms(at_ms);
  track.set_ended_ms(at_ms + 20 * 60'000);
  std::uniform_real_distribution<double> step(-0.0002, 0.0002);
  Point at = from;
  for (int i = 0; i < 40; ++i) {
    v1::TrackPoint& point = *track.add_points();
    point.set_at_ms(at_ms + i * 30'000);
    point.set_latitude(at.latitude += step(phone.dice()));
    point.set_longitude(at.longitude += step(phone.dice()));
    point.set_accuracy_m(6);
  }
  Entry entry(phone);
  entry.create(track);
  return entry.commit();
}

v1::Household household_of(Phone& phone, const Point& point, std::int64_t at_ms) {
  static constexpr std::array kNeeds = {"上门办理", "代购药品", "家电检修"};
  v1::Household household;
  household.set_grid(phone.seat().grid);
  household.set_address("示例路" + std::to_string(1 + pick(phone, 180)) + "号");
  household.set_dwelling(static_cast<v1::DwellingType>(1 + pick(phone, 4)));
  household.set_contact_name("示例住户");
  household.set_contact_phone("000-0000-0000");
  household.add_service_needs(kNeeds[pick(phone, kNeeds.size())]);
  household.set_notice_ms(at_ms);
  household.set_notice_version("告知书一");
  household.set_consent(v1::CONSENT_STATE_GIVEN);
  household.set_consent_ms(at_ms);
  stand_at(household, point);
  return household;
}

// A household, who lives there, and the visit: they are one matter, so one transaction.
Result<void> call_on_household(Phone& phone, const Point& point, std::int64_t at_ms) {
  static constexpr std::array kRelations = {"户主", "配偶", "子女"};
  Entry entry(phone);
  const RecordId household = entry.create(household_of(phone, point, at_ms));
  const std::size_t people = 1 + pick(phone, kRelations.size());
  for (std::size_t i = 0; i < people; ++i) {
    v1::Resident resident;
    resident.set_household(std::string(household.bytes()));
    resident.set_name("示例居民");
    resident.set_relation(kRelations[i]);
    resident.set_birth_year(1950 + static_cast<std::int64_t>(pick(phone, 60)));
    resident.set_consent(v1::CONSENT_STATE_GIVEN);
    resident.set_consent_ms(at_ms);
    entry.create(resident);
  }
  v1::Visit visit;
  visit.set_grid(phone.seat().grid);
  visit.set_kind(v1::VISIT_KIND_HOUSEHOLD);
  visit.set_worker(std::string(phone.client().status().worker.bytes()));
  visit.set_household(std::string(household.bytes()));
  visit.set_started_ms(at_ms);
  visit.set_ended_ms(at_ms + 12 * 60'000);
  visit.set_notes("首次走访，已告知并取得同意。");
  visit.set_outcome(v1::VISIT_OUTCOME_NORMAL);
  stand_at(visit, point);
  entry.create(visit);
  return entry.commit();
}

Result<void> look_at_facility(Phone& phone, const Point& point, std::int64_t at_ms) {
  v1::Facility facility;
  facility.set_grid(phone.seat().grid);
  facility.set_kind(static_cast<v1::FacilityKind>(1 + pick(phone, 7)));
  facility.set_name("示例部件");
  facility.set_state(v1::FACILITY_STATE_GOOD);
  facility.set_next_due_ms(at_ms + std::int64_t{30} * 24 * 3'600'000);
  stand_at(facility, point);
  Entry entry(phone);
  entry.create(facility);
  return entry.commit();
}

Result<void> note_signal(Phone& phone, std::int64_t at_ms) {
  v1::Signal signal;
  signal.set_grid(phone.seat().grid);
  signal.set_week("2026-W47");
  signal.set_situation("出租屋人员流动增多，电动车停放紧张。");
  signal.set_grade(v1::SIGNAL_GRADE_NOTED);
  signal.set_worker(std::string(phone.client().status().worker.bytes()));
  signal.set_noted_ms(at_ms);
  Entry entry(phone);
  entry.create(signal);
  return entry.commit();
}

Result<RecordId> blow(Phone& phone, const Matter& matter, const Point& point, bool emergency,
                      const RecordId* visit, std::int64_t at_ms,
                      v1::Source source = v1::SOURCE_WORKER) {
  v1::Whistle whistle;
  whistle.set_source(source);
  whistle.set_grid(phone.seat().grid);
  whistle.set_category(std::string(matter.category));
  whistle.set_title(std::string(matter.title));
  whistle.set_text(std::string(matter.text));
  whistle.set_whistle_class(matter.whistle_class);
  if (emergency) whistle.set_emergency(true);
  if (visit != nullptr) whistle.set_visit(std::string(visit->bytes()));
  if (at_ms != 0) whistle.set_reported_ms(at_ms);
  if (matter.settled) {
    whistle.set_handled_on_spot(true);
    whistle.set_handled_text("当场处理完毕。");
  }
  stand_at(whistle, point);
  Entry entry(phone);
  const RecordId id = entry.create(whistle);
  v1::WhistleContact contact;
  contact.set_whistle(std::string(id.bytes()));
  contact.set_name("示例反映人");
  contact.set_phone("000-0000-0000");
  if (!matter.settled) entry.create(contact);
  if (auto done = entry.commit(); !done) return std::unexpected(done.error());
  return id;
}

Result<void> end_patrol(Phone& phone, const RecordId& patrol, const Point& point,
                        std::int64_t at_ms, bool whistled) {
  v1::Visit end;
  end.set_id(std::string(patrol.bytes()));
  end.set_ended_ms(at_ms);
  end.set_end_latitude(point.latitude);
  end.set_end_longitude(point.longitude);
  end.set_end_accuracy_m(9);
  end.set_end_coordinate_source(v1::COORDINATE_SOURCE_GNSS);
  end.set_outcome(whistled ? v1::VISIT_OUTCOME_WHISTLED : v1::VISIT_OUTCOME_NORMAL);
  Entry entry(phone);
  entry.edit(end);
  return entry.commit();
}

}  // namespace

Result<void> walk(Phone& phone, int hour, int visits, int whistles) {
  const auto middle = phone.middle();
  if (!middle) return std::unexpected(middle.error());
  const auto at = [&](int minute) { return story_ms(hour, minute); };
  const Point start = near_middle(phone, *middle);
  if (auto done = attend(phone, start, v1::ATTENDANCE_TYPE_ON_DUTY, at(0)); !done) return done;
  const auto patrol = start_patrol(phone, start, at(5));
  if (!patrol) return std::unexpected(patrol.error());
  if (auto done = note_track(phone, *patrol, start, at(6)); !done) return done;
  for (int i = 0; i < visits; ++i) {
    if (auto done = call_on_household(phone, near_middle(phone, *middle), at(30 + 13 * i)); !done) {
      return done;
    }
  }
  if (auto done = look_at_facility(phone, near_middle(phone, *middle), at(80)); !done) return done;
  if (auto done = note_signal(phone, at(85)); !done) return done;
  for (int i = 0; i < whistles; ++i) {
    const Matter& matter = everyday_matters()[pick(phone, everyday_matters().size())];
    const auto blown =
        blow(phone, matter, near_middle(phone, *middle), false, &*patrol, at(90 + 5 * i));
    if (!blown) return std::unexpected(blown.error());
  }
  const Point end = near_middle(phone, *middle);
  if (auto done = end_patrol(phone, *patrol, end, at(115), whistles > 0); !done) return done;
  return attend(phone, end, v1::ATTENDANCE_TYPE_OFF_DUTY, at(118));
}

Result<RecordId> blow_emergency(Phone& phone) {
  const auto middle = phone.middle();
  if (!middle) return std::unexpected(middle.error());
  const Matter& matter = emergencies()[pick(phone, emergencies().size())];
  return blow(phone, matter, near_middle(phone, *middle), true, nullptr, 0);
}

Result<std::string> blow_for_a_road(Phone& phone) {
  const auto middle = phone.middle();
  if (!middle) return std::unexpected(middle.error());
  const auto id = blow(phone, road_matter(), near_middle(phone, *middle), false, nullptr, 0);
  if (!id) return std::unexpected(id.error());
  const auto whistle = phone.client().get<v1::Whistle>(*id);
  if (!whistle) return std::unexpected(whistle.error());
  return whistle->record.number();
}

Result<RecordId> blow_as_hotline(Phone& phone) {
  const auto middle = phone.middle();
  if (!middle) return std::unexpected(middle.error());
  return blow(phone, road_matter(), near_middle(phone, *middle), false, nullptr, 0,
              v1::SOURCE_HOTLINE);
}

Result<RecordId> blow_headless(Phone& phone) {
  const auto middle = phone.middle();
  if (!middle) return std::unexpected(middle.error());
  return blow(phone, headless_matter(), near_middle(phone, *middle), false, nullptr, 0);
}

Result<RecordId> edit_household(Phone& phone, const std::string& grid, int who) {
  const auto households = phone.client().query<v1::Household>(Query().is("grid", grid).first(1));
  if (!households) return std::unexpected(households.error());
  if (households->empty()) return fail(ErrorCode::kNotFound, "no household in that grid yet");
  v1::Household edit;
  edit.set_id(households->front().record.id());
  const v1::DwellingType now = households->front().record.dwelling();
  const bool rented = now == v1::DWELLING_TYPE_RENTED || now == v1::DWELLING_TYPE_BUSINESS;
  if (who == 0) {
    edit.set_dwelling(rented ? v1::DWELLING_TYPE_OWNER : v1::DWELLING_TYPE_RENTED);
    edit.set_notes("租期到年底。");
    edit.add_service_needs("装烟感器");
  } else {
    edit.set_dwelling(rented ? v1::DWELLING_TYPE_VACANT : v1::DWELLING_TYPE_BUSINESS);
    edit.set_contact_phone("000-0000-0001");
    edit.add_service_needs("预约体检");
  }
  Entry entry(phone);
  entry.edit(edit);
  if (auto done = entry.commit(); !done) return std::unexpected(done.error());
  return households->front().info.id;
}

}  // namespace gridwhistle::demo
