#include "county_world.h"

// A task is answered by a visit: the server closes it, because the visitor may not write tasks.
using namespace gridwhistle;
using namespace gridwhistle::test;

namespace {

v1::TaskState state_of(World& world, RecordId task) {
  const auto row = world.county->get(kinds::kTask, task);
  REQUIRE(row);
  REQUIRE(*row);
  v1::Task message;
  REQUIRE(message.ParseFromString((*row)->body));
  return message.state();
}

RecordId ask(World& world, Phone& centre, const std::string& area, RecordId assignee = {}) {
  v1::Task task;
  task.set_area(area);
  task.set_title("look in on number 7");
  task.set_visit_kind(v1::VISIT_KIND_CARE);
  task.set_state(v1::TASK_STATE_OPEN);
  if (!assignee.is_nil()) task.set_assignee(std::string(assignee.bytes()));
  const RecordId id = centre.new_id();
  centre.record(kinds::kTask, id, task.SerializeAsString(), true, world.clock.ms);
  world.sync(centre);
  REQUIRE(state_of(world, id) == v1::TASK_STATE_OPEN);
  return id;
}

// Begun and ended by two writes, as a phone makes them.
void visit_for(World& world, Phone& phone, RecordId task, v1::VisitKind kind,
               v1::VisitOutcome outcome) {
  v1::Visit begun;
  begun.set_grid(kGrid1);
  begun.set_kind(kind);
  begun.set_started_ms(world.clock.ms);
  begun.set_task(std::string(task.bytes()));
  const RecordId id = phone.new_id();
  phone.record(kinds::kVisit, id, begun.SerializeAsString(), true, world.clock.ms);
  world.sync(phone);
  CHECK(state_of(world, task) == v1::TASK_STATE_OPEN);
  world.clock.ms += 60'000;
  v1::Visit ended;
  ended.set_ended_ms(world.clock.ms);
  ended.set_outcome(outcome);
  phone.record(kinds::kVisit, id, ended.SerializeAsString(), false, world.clock.ms);
  world.sync(phone);
}

}  // namespace

TEST_CASE("a visit that has ended closes the task it answers, and nobody is told of a loss") {
  World world;
  Phone centre = world.phone(world.dora);
  Phone phone = world.phone(world.anna);
  const RecordId of_grid = ask(world, centre, kGrid1);
  const RecordId of_anna = ask(world, centre, kTown, world.anna);
  for (const RecordId task : {of_grid, of_anna}) {
    visit_for(world, phone, task, v1::VISIT_KIND_CARE, v1::VISIT_OUTCOME_NORMAL);
    CHECK(state_of(world, task) == v1::TASK_STATE_DONE);
  }
  const auto inbox = world.sync(centre);
  CHECK(inbox->rows_of(kinds::kTask).size() == 2);
  CHECK(inbox->rows_of(kinds::kOutcome).empty());
  CHECK(world.county->verify()->faults.empty());
}

TEST_CASE("a task stays open that the visit did not answer") {
  World world;
  Phone centre = world.phone(world.dora);
  Phone phone = world.phone(world.anna);
  const auto stays_open = [&](RecordId task, v1::VisitKind kind, v1::VisitOutcome outcome) {
    visit_for(world, phone, task, kind, outcome);
    CHECK(state_of(world, task) == v1::TASK_STATE_OPEN);
  };
  const RecordId task = ask(world, centre, kGrid1);
  stays_open(task, v1::VISIT_KIND_CARE, v1::VISIT_OUTCOME_NOBODY_HOME);
  stays_open(task, v1::VISIT_KIND_CARE, v1::VISIT_OUTCOME_FOLLOW_UP);
  stays_open(task, v1::VISIT_KIND_NIGHT, v1::VISIT_OUTCOME_NORMAL);
  stays_open(ask(world, centre, kGrid1, world.bruno), v1::VISIT_KIND_CARE,
             v1::VISIT_OUTCOME_NORMAL);
  // Everybody of the town has one of their own to do.
  stays_open(ask(world, centre, kTown), v1::VISIT_KIND_CARE, v1::VISIT_OUTCOME_NORMAL);
  stays_open(ask(world, centre, kGrid2), v1::VISIT_KIND_CARE, v1::VISIT_OUTCOME_NORMAL);
}
