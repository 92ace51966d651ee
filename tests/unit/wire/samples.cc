#include "samples.h"

#include "model/hlc.h"
#include "thing.h"

namespace gridwhistle {
namespace {

constexpr const char* kPhrases[] = {"井盖破损，存在安全隐患",
                                    "楼道堆放杂物，已劝导清理",
                                    "独居老人探访，身体状况良好",
                                    "电动车飞线充电，已现场制止",
                                    "路灯不亮，影响夜间通行",
                                    "邻里因噪音发生纠纷，已调解",
                                    "消防通道被占用",
                                    "入户走访，宣传防诈骗知识",
                                    "污水外溢，已通知管护单位",
                                    "出租屋登记信息更新"};
constexpr const char* kNames[] = {"陈", "林", "黄", "吴", "李", "梁", "郑", "何"};

std::string record(std::mt19937_64& random, std::size_t i) {
  using namespace thing;
  const auto pick = [&](std::uint64_t below) { return random() % below; };
  std::string message = text_field(kGrid, "440811" + std::to_string(100'000'000 + pick(5)));
  append_text(message, kTitle,
              std::string(kPhrases[pick(10)]) + "，" + kNames[pick(8)] + "某" +
                  std::to_string(pick(200)) + "号楼" + std::to_string(pick(30)) + "室。" +
                  kPhrases[pick(10)]);
  append_int(message, kCount,
             static_cast<std::int64_t>(1'700'000'000'000 + i * 60'000 + pick(60'000)));
  append_text(message, kTags, kPhrases[pick(10)]);
  append_int(message, kCode, static_cast<std::int64_t>(pick(6)));
  append_text(message, kOwner, std::string(16, 'w'));
  append_double(message, kDegrees, 21.2 + static_cast<double>(pick(100'000)) / 1e6);
  return message;
}

}  // namespace

std::vector<Operation> sample_operations(std::size_t count, std::uint64_t first) {
  std::mt19937_64 random(42);
  std::vector<Operation> operations;
  std::int64_t now = 1'700'000'000'000;
  for (std::size_t i = 0; i < count; ++i) {
    now += static_cast<std::int64_t>(1000 + random() % 300'000);
    Operation operation;
    operation.kind = KindId(7);
    operation.id = RecordId::make(kSender, first + i);
    operation.creates = true;
    operation.lane_seq = LaneSeq(first + i);
    operation.dev_seq = DevSeq(first + i);
    operation.hlc = hlc_at(now);
    operation.claimed = {now + 1234, static_cast<std::uint64_t>(now - 1'600'000'000'000), 99};
    operation.scope = "grid:440811001001001";
    operation.set = record(random, i);
    operations.push_back(std::move(operation));
  }
  return operations;
}

std::vector<Row> sample_rows(std::size_t count) {
  std::vector<Row> rows;
  for (const Operation& operation : sample_operations(count)) {
    Row row;
    row.kind = operation.kind;
    row.id = operation.id;
    row.last_seq = Seq(1000 + operation.dev_seq.value);
    row.hlc = operation.hlc;
    row.change = RowChange::kWhole;
    row.scopes = {operation.scope};
    row.set = operation.set;
    rows.push_back(std::move(row));
  }
  return rows;
}

std::string bare(const Operation& operation) {
  return text_field(1, operation.id.bytes()) + operation.set;
}

}  // namespace gridwhistle
