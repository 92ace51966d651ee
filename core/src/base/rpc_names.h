#pragma once

// The names both ends of a connection must agree on beside the messages themselves.
namespace gridwhistle::rpc_names {

inline constexpr char kSyncMethod[] = "/gridwhistle.v1.SyncService/Sync";
inline constexpr char kEnrolMethod[] = "/gridwhistle.v1.SyncService/Enrol";
inline constexpr char kMediaMethod[] = "/gridwhistle.v1.MediaService/Carry";
/// Trailing metadata of a call that failed: the ErrorCode, decimal.
inline constexpr char kErrorCode[] = "gridwhistle-code";
/// What the client calls the server in TLS and HTTP/2, whatever address it is reached at, and what
/// the server's certificate says. Nothing depends on it: the key is what is checked.
inline constexpr char kServerName[] = "gridwhistle";

}  // namespace gridwhistle::rpc_names
