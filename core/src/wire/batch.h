#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gridwhistle/ids.h"
#include "gridwhistle/status.h"
#include "model/operation.h"
#include "model/schema.h"
#include "wire/frames.h"

// OperationBatch and RowBatch: many of a kind, each counted from its predecessor.
namespace gridwhistle {

/// The operations as an OperationBatch. `ends[i]` is where the batch of the first i + 1 would end.
std::string write_operations(DeviceId device, std::span<const Operation> operations,
                             std::vector<std::size_t>& ends);

/// Reads a batch whose first operation is number `first` of `lane`, and checks everything that can
/// be checked without the record: forms, limits, whole transactions. An operation whose content
/// breaks its kind's rules comes with its fault. At most `count_max` operations.
Result<std::vector<Operation>> read_operations(const Schema& schema, DeviceId device, Lane lane,
                                               LaneSeq first, std::size_t count_max,
                                               std::string_view batch);

/// The rows as a RowBatch.
std::string write_rows(std::span<const Row> rows);

/// The rows of a RowBatch, checked. At most `count_max`.
Result<std::vector<Row>> read_rows(const Schema& schema, std::size_t count_max,
                                   std::string_view batch);

}  // namespace gridwhistle
