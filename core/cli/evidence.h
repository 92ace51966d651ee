#pragma once

#include <string>

#include "gridwhistle/client.h"
#include "gridwhistle/status.h"
#include "gridwhistle/v1/records.pb.h"

namespace gridwhistle::cli {

/// A file's media type, by the end of its name.
std::string media_type_of(const std::string& path);

/// A file as the evidence of an action: kept on the phone, with what it shows. The file itself
/// stays where it is, and its name is told to nobody. Errors: those of `Client::keep_file`.
Result<v1::Attachment> evidence_from(Client& client, const std::string& path,
                                     v1::AttachmentStage stage);

}  // namespace gridwhistle::cli
