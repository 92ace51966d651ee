#include "gridwhistle/messages.h"

namespace gridwhistle {

namespace {

struct Line {
  ErrorCode code;
  Wording words;
};

constexpr Line kLines[] = {
    {ErrorCode::kInvalid, {"填写的内容不符合要求", "what was given breaks a rule"}},
    {ErrorCode::kNotFound, {"没有这条记录", "there is no such record"}},
    {ErrorCode::kOutOfScope,
     {"不在您负责的区域内", "it lies outside the areas this worker is responsible for"}},
    {ErrorCode::kForbidden, {"您的岗位不能这样做", "this role may not do it"}},
    {ErrorCode::kGone,
     {"记录已被删除，填写的内容已保留", "the record was erased; what was written is kept"}},
    {ErrorCode::kTooLarge, {"内容太大", "it is too large"}},
    {ErrorCode::kTooMany, {"数量太多", "there are too many"}},
    {ErrorCode::kDiskFull,
     {"存储空间已满，未写入；请清理后重试",
      "the disk is full, nothing was written; free space and try again"}},
    {ErrorCode::kReadOnly, {"文件或文件夹不能写入", "the file or its folder cannot be written"}},
    {ErrorCode::kIo, {"读写磁盘出错", "the disk failed"}},
    {ErrorCode::kNotADatabase, {"这不是本程序的数据文件", "the file is something else"}},
    {ErrorCode::kCorrupt, {"文件已损坏，保持原样", "the file is damaged; it is left as it is"}},
    {ErrorCode::kLocked,
     {"另一个程序正在使用这个文件", "another program is using the file; end it first"}},
    {ErrorCode::kNewerFile,
     {"文件由更新的版本写成，请先升级", "a newer version wrote the file; upgrade first"}},
    {ErrorCode::kClosed, {"已经关闭", "it was closed"}},
    {ErrorCode::kPoisoned,
     {"内部出错，已停止写入；已有内容仍可查看",
      "something broke inside: nothing more is written, everything stays readable"}},
    {ErrorCode::kPurposeRequired,
     {"查看个人信息须说明用途", "reading personal data needs a purpose"}},
    {ErrorCode::kEncryptionRequired,
     {"敏感信息只能存放在加密文件中", "sensitive data is kept in encrypted files only"}},
    {ErrorCode::kNotEnrolled,
     {"本机未注册，请向管理员索取注册码",
      "this phone is not enrolled; ask the operator for a code"}},
    {ErrorCode::kRevoked,
     {"本机的授权已终止，请联系管理员", "this phone's authority has ended; ask the operator"}},
    {ErrorCode::kDeviceLost,
     {"本机已报失，请联系管理员", "this phone was reported lost; ask the operator"}},
    {ErrorCode::kWrongServerKey,
     {"服务器的密钥与注册时不同，未发送任何内容，本机内容不会丢失；"
      "如服务器已更换，请向管理员索取新注册码重新注册",
      "the server's key is not the one enrolled with; nothing was sent and nothing is lost. If the "
      "server was replaced, enrol again with a new code from the operator"}},
    {ErrorCode::kBadSignature,
     {"服务器不认识本机的密钥，请重新注册",
      "the server does not know this phone's key; enrol again"}},
    {ErrorCode::kReplayed, {"请求重复，请重试", "the call came twice; try again"}},
    {ErrorCode::kCodeWrong,
     {"注册码不对，请核对或重新索取", "there is no such code; check it or ask for another"}},
    {ErrorCode::kCodeUsed, {"注册码已用过，请重新索取", "the code was used; ask for another"}},
    {ErrorCode::kCodeExpired,
     {"注册码已过期，请重新索取", "the code has expired; ask for another"}},
    {ErrorCode::kCodeSpent,
     {"注册码因多次输错已作废，请重新索取", "wrong tries have used the code up; ask for another"}},
    {ErrorCode::kUnavailable,
     {"连接不上服务器；已记录的内容保存在本机",
      "the server cannot be reached; what was recorded is safe on this phone"}},
    {ErrorCode::kTimeout,
     {"服务器没有及时回应；已记录的内容保存在本机",
      "no answer in time; what was recorded is safe on this phone"}},
    {ErrorCode::kBusy, {"服务器繁忙，请稍后再试", "the server is busy; try again later"}},
    {ErrorCode::kProtocol, {"与服务器的通信出错", "the other side broke the protocol"}},
    {ErrorCode::kUnsupported, {"版本不兼容，请升级", "the versions do not fit together; upgrade"}},
    {ErrorCode::kForked,
     {"本机文件是副本或旧状态，服务器已有这部手机此后的其他记录；未发送任何内容，本机内容仍可查看。"
      "请改用最新的文件；没有的话，向管理员索取注册码，在新文件中注册，并补记尚未发送的内容",
      "this phone's file is a copy or an older state of itself: the server has other records that "
      "came after it. Nothing was sent, and everything stays readable here. Use the newest file; "
      "if "
      "there is none, ask the operator for a code, enrol with a new file, and record there what "
      "was "
      "not sent"}},
    {ErrorCode::kParked, {"服务器升级后处理", "kept until the server knows this kind of record"}},
    {ErrorCode::kAlreadyExists, {"已经存在", "it exists already"}},
    {ErrorCode::kConflict, {"当前状态下不能这样做", "it is not possible in the present state"}},
    {ErrorCode::kNoLocation,
     {"不在巡查中，不记录位置", "a position outside a patrol is not recorded"}},
    {ErrorCode::kInternal, {"程序内部错误", "a fault of this software"}},
    {ErrorCode::kForgotten,
     {"记录已按规定彻底删除，填写的内容不再保留",
      "the record was deleted for good; nothing of what was written is kept"}},
    {ErrorCode::kDamaged,
     {"文件内容与其摘要不符，将重新传送",
      "the bytes are not those that were named; the file is sent anew"}},
};

}  // namespace

Wording message_of(ErrorCode code) {
  for (const Line& line : kLines) {
    if (line.code == code) return line.words;
  }
  return {"本版本不认识的原因", "a reason this version does not know"};
}

}  // namespace gridwhistle
