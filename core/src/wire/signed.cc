#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include "wire/frames.h"
#include "wire/media.h"

namespace gridwhistle {
namespace {

// Begins with no tag that a Hello or an enrolment could begin with.
constexpr std::string_view kMedia = "gridwhistle media";

// The same bytes on both sides, whatever they were compiled with.
template <typename Message>
std::string to_sign(Message message, std::string_view server_key_sha256,
                    std::string_view what_it_is = {}) {
  message.clear_signature();
  std::string bytes(server_key_sha256);
  bytes += what_it_is;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream out(&stream);
  out.SetSerializationDeterministic(true);
  message.SerializeToCodedStream(&out);
  out.Trim();
  return bytes;
}

}  // namespace

std::string hello_to_sign(const v1::Hello& hello, std::string_view server_key_sha256) {
  return to_sign(hello, server_key_sha256);
}

// Never the same as what a call signs, whatever the two messages say.
std::string bundle_to_sign(const v1::Bundle& bundle, std::string_view server_key_sha256) {
  return to_sign(bundle, std::string(server_key_sha256) + "bundle");
}

std::string enrol_to_sign(const v1::EnrolRequest& request, std::string_view server_key_sha256) {
  return to_sign(request, server_key_sha256);
}

std::string media_hello_to_sign(const v1::MediaHello& hello, std::string_view server_key_sha256) {
  return to_sign(hello, server_key_sha256, kMedia);
}

std::string succession_to_sign(v1::EnrolRequest request, std::string_view server_key_sha256) {
  request.clear_predecessor_signature();
  return to_sign(std::move(request), server_key_sha256);
}

}  // namespace gridwhistle
