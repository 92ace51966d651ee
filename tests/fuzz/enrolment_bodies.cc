#include "bodies.h"
#include "gridwhistle/client.h"

// Laws of what is scanned or typed from the operator's screen.
namespace gridwhistle::fuzz {
namespace {

std::string enrolment_code_law(std::string_view bytes) {
  const auto code = EnrolmentCode::parse(bytes);
  if (!code) {
    return code.error().code == ErrorCode::kInvalid ? "" : "a code is refused as invalid";
  }
  if (code->server.key_sha256.size() != 32) return "a server's key has 32 bytes";
  if (code->code.empty()) return "a code is not empty";
  const auto again = EnrolmentCode::parse(code->text());
  return again && again->code == code->code &&
                 again->server.host_and_port == code->server.host_and_port &&
                 again->server.key_sha256 == code->server.key_sha256
             ? ""
             : "a code is the same after it was shown and scanned again";
}

std::vector<std::string> enrolment_code_seeds() {
  const std::string key(64, 'a');
  return {"gw1:county.example:7443:" + key + ":K7QM-3F9X-2TRB",
          "  gw1:[2001:db8::1]:7443:" + key + ":K7QM-3F9X-2TRB\n"};
}

}  // namespace

const Body kEnrolmentCode = {"enrolment_code", enrolment_code_law, enrolment_code_seeds};

}  // namespace gridwhistle::fuzz
