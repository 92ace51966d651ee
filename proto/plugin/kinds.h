#pragma once

#include <google/protobuf/descriptor.h>

#include <string>
#include <vector>

#include "gridwhistle/v1/options.pb.h"

namespace gridwhistle::plugin {

using Files = std::vector<const google::protobuf::FileDescriptor*>;

/// A message that is annotated as a record kind.
struct Kind {
  const google::protobuf::Descriptor* message;
  v1::KindRule rule;
};

/// The annotated kinds of some files, in the order of their numbers.
///
/// False, and the reason in `error`, when annotations contradict themselves: a number is used
/// twice, a name points nowhere, a merge policy does not suit its field.
bool read_kinds(const Files& files, std::vector<Kind>* kinds, std::string* error);

/// The field's annotation; an empty one when there is none.
const v1::FieldRule& rule_of(const google::protobuf::FieldDescriptor& field);

/// "check_in_due_ms" -> "CheckInDueMs".
std::string camel(const std::string& snake);

/// "WhistleAction" -> "whistle_action".
std::string snake(const std::string& camel);

}  // namespace gridwhistle::plugin
