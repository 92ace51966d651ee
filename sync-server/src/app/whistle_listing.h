#pragma once

#include "app/commands.h"
#include "app/listing.h"
#include "terminal/details.h"

namespace gridwhistle::app {

/// The field of a kind by its name. The kind has it.
const FieldSchema& field_schema(KindId kind, std::string_view name);

/// Columns every list of whistles begins with, and a whistle's values for them.
std::vector<Listing::Column> whistle_columns();
std::vector<Value> whistle_values(const Context& context, const WhistleSummary& whistle);

/// What people call the records that a whistle's fields name.
terminal::NameOf names_in(Context& context);

/// Fields in words; for programs an object with what they hold, which is in no language.
Value details_value(const std::vector<terminal::Detail>& details, Language language);

/// What an organisation has to do, as a row.
Listing inbox_listing();
void add_inbox_item(Context& context, const InboxItem& item, Listing& listing);

}  // namespace gridwhistle::app
