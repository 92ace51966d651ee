#pragma once

#include <string>

#include "gridwhistle/status.h"
#include "gridwhistle/v1/records.pb.h"

namespace gridwhistle::cli {

/// A file as the evidence of an action: its SHA-256, size, media type (by the end of its name) and
/// what it shows. The file itself stays where it is, and its name is told to nobody.
///
/// kNotFound: no such file, or it cannot be read. kInvalid: it is empty. kTooLarge.
Result<v1::Attachment> evidence_from(const std::string& path, v1::AttachmentStage stage);

}  // namespace gridwhistle::cli
