#include "app/difference.h"

#include <zstd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>

#include "base/file_digest.h"
#include "base/line.h"
#include "base/sha256.h"
#include "sqlite/connection.h"
#include "sqlite/transaction.h"

namespace gridwhistle::app {
namespace {

namespace fs = std::filesystem;
using sqlite::Blob;
using sqlite::Connection;

constexpr std::uint32_t kApplicationId = 0x47574446;
constexpr std::string_view kMark = "GWDF";  // the same as bytes
constexpr std::size_t kPageBytes = 4096;
// A day's changes are some thousand pages; level 3 is zstd's own choice.
constexpr int kLevel = 3;

/// A file read in stretches of a page; the last may be shorter.
class Pages {
 public:
  explicit Pages(const std::string& path) : path_(path), file_(path, std::ios::binary) {}

  /// Empty behind the end.
  Result<std::string_view> next() {
    file_.read(page_.data(), kPageBytes);
    const auto got = static_cast<std::size_t>(file_.gcount());
    if (file_.bad() || (got == 0 && !file_.eof())) {
      return fail(ErrorCode::kIo, both(path_ + " 不能读取", path_ + " cannot be read"));
    }
    return std::string_view(page_.data(), got);
  }

 private:
  const std::string path_;
  std::ifstream file_;
  std::string page_ = std::string(kPageBytes, '\0');
};

Error about_zstd(std::size_t code) {
  return {ErrorCode::kCorrupt, std::string("zstd: ") + ZSTD_getErrorName(code), {}};
}

class Squeezer {
 public:
  Result<std::string_view> squeeze(std::string_view page, std::string_view against) {
    ZSTD_CCtx_refPrefix(context_.get(), against.data(), against.size());
    const std::size_t size =
        ZSTD_compress2(context_.get(), out_.data(), out_.size(), page.data(), page.size());
    if (ZSTD_isError(size) != 0) return std::unexpected(about_zstd(size));
    return std::string_view(out_).substr(0, size);
  }

 private:
  std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context_ = [] {
    std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> made(ZSTD_createCCtx(), ZSTD_freeCCtx);
    ZSTD_CCtx_setParameter(made.get(), ZSTD_c_compressionLevel, kLevel);
    return made;
  }();
  std::string out_ = std::string(ZSTD_compressBound(kPageBytes), '\0');
};

class Unsqueezer {
 public:
  Result<std::string_view> unsqueeze(std::string_view bytes, std::string_view against) {
    ZSTD_DCtx_refPrefix(context_.get(), against.data(), against.size());
    const std::size_t size =
        ZSTD_decompressDCtx(context_.get(), out_.data(), out_.size(), bytes.data(), bytes.size());
    if (ZSTD_isError(size) != 0) return std::unexpected(about_zstd(size));
    return std::string_view(out_).substr(0, size);
  }

 private:
  std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context_{ZSTD_createDCtx(), ZSTD_freeDCtx};
  std::string out_ = std::string(kPageBytes, '\0');
};

Result<Connection> open_to_read(const std::string& path) {
  return Connection::open({.path = path, .read_only = true, .application_id = kApplicationId});
}

Result<std::string> head_of(Connection& file, std::string_view key) {
  auto query = file.prepare("SELECT value FROM head WHERE key=?");
  if (!query) return std::unexpected(std::move(query.error()));
  query->bind(key);
  const auto row = query->step();
  if (!row) return std::unexpected(row.error());
  if (!*row) return fail(ErrorCode::kCorrupt, std::string(key) + " is missing");
  return std::string(query->text(0));
}

Result<DifferenceHead> head_of(Connection& file) {
  DifferenceHead head;
  for (const auto& [key, value] : {std::pair{"base", &head.base},
                                   {"base_sha256", &head.base_sha256},
                                   {"sha256", &head.sha256}}) {
    auto read = head_of(file, key);
    if (!read) return std::unexpected(std::move(read.error()));
    *value = std::move(*read);
  }
  auto bytes = head_of(file, "bytes");
  if (!bytes) return std::unexpected(std::move(bytes.error()));
  head.bytes = std::strtoull(bytes->c_str(), nullptr, 10);
  // A name, and no way to some other folder.
  if (head.base.empty() || fs::path(head.base).filename() != head.base) {
    return fail(ErrorCode::kCorrupt, "base is no file's name");
  }
  return head;
}

/// What is wrong within a difference is told of its file; a disk's faults are not.
std::unexpected<Error> altered(const std::string& path, Error error) {
  const bool of_disk = error.code == ErrorCode::kIo || error.code == ErrorCode::kDiskFull;
  if (of_disk) return std::unexpected(std::move(error));
  return fail(ErrorCode::kCorrupt, both(path + " 与备份时不同", path + " is not as it was written"),
              error.message);
}

/// The pages that differ, in their order.
class Differing {
 public:
  static Result<Differing> of(Connection& file) {
    auto query = file.prepare("SELECT number, content FROM page ORDER BY number");
    if (!query) return std::unexpected(std::move(query.error()));
    Differing pages(std::move(*query));
    if (auto moved = pages.advance(); !moved) return std::unexpected(moved.error());
    return pages;
  }

  bool at_end() const { return !there_; }
  bool has(std::uint64_t number) const { return there_ && query_.number(0) == number; }
  std::string_view content() const { return query_.blob(1); }
  Result<void> advance() {
    const auto row = query_.step();
    if (!row) return std::unexpected(row.error());
    there_ = *row;
    return {};
  }

 private:
  explicit Differing(sqlite::Statement query) : query_(std::move(query)) {}
  sqlite::Statement query_;
  bool there_ = false;
};

/// Lays the pages that differ over the others, as far as the file reaches.
Result<void> lay_over(Pages& base, Differing& pages, std::uint64_t bytes,
                      const std::function<Result<void>(std::string_view)>& take) {
  Unsqueezer unsqueezer;
  for (std::uint64_t number = 0, done = 0; done < bytes; ++number) {
    const auto under = base.next();
    if (!under) return std::unexpected(under.error());
    Result<std::string_view> page = *under;
    if (pages.has(number)) page = unsqueezer.unsqueeze(pages.content(), *under);
    if (!page) return std::unexpected(page.error());
    const std::string_view part = page->substr(0, bytes - done);
    if (part.empty()) return fail(ErrorCode::kCorrupt, "it ends too early");
    if (auto taken = take(part); !taken) return taken;
    done += part.size();
    if (!pages.has(number)) continue;
    if (auto moved = pages.advance(); !moved) return moved;
  }
  return {};
}

Result<void> write_pages(Connection& file, const std::string& base, const std::string& whole) {
  Pages old_pages(base);
  Pages new_pages(whole);
  Squeezer squeezer;
  for (std::uint64_t number = 0;; ++number) {
    const auto before = old_pages.next();
    const auto now = new_pages.next();
    if (!before) return std::unexpected(before.error());
    if (!now) return std::unexpected(now.error());
    if (now->empty()) return {};
    if (*before == *now) continue;
    const auto squeezed = squeezer.squeeze(*now, *before);
    if (!squeezed) return std::unexpected(squeezed.error());
    const auto put = file.run("INSERT INTO page VALUES(?,?)", static_cast<std::int64_t>(number),
                              Blob{*squeezed});
    if (!put) return put;
  }
}

Result<void> write_head(Connection& file, const std::string& base, const std::string& whole) {
  const auto base_sha256 = sha256_of_file(base);
  if (!base_sha256) return std::unexpected(base_sha256.error());
  const auto sha256 = sha256_of_file(whole);
  if (!sha256) return std::unexpected(sha256.error());
  std::error_code error;
  const auto bytes = fs::file_size(whole, error);
  if (error) return fail(ErrorCode::kIo, about(whole, error.message()));
  for (const auto& [key, value] : {std::pair{"base", fs::path(base).filename().string()},
                                   {"base_sha256", *base_sha256},
                                   {"sha256", *sha256},
                                   {"bytes", std::to_string(bytes)},
                                   {"page_bytes", std::to_string(kPageBytes)}}) {
    if (auto put = file.run("INSERT INTO head VALUES(?,?)", key, value); !put) return put;
  }
  return {};
}

}  // namespace

namespace {

constexpr std::size_t kApplicationIdAt = 68;

std::string header_of(const std::string& path) {
  std::string header(kApplicationIdAt + 4, '\0');
  std::ifstream(path, std::ios::binary)
      .read(header.data(), static_cast<std::streamsize>(header.size()));
  return header;
}

}  // namespace

bool has_header(const std::string& path) { return header_of(path).starts_with("SQLite format 3"); }

// As SQLite's header has it, so that one whose pages are damaged is known for what it is.
bool is_difference(const std::string& path) {
  const std::string header = header_of(path);
  return header.starts_with("SQLite format 3") && header.substr(kApplicationIdAt) == kMark;
}

Result<DifferenceHead> read_difference(const std::string& path) {
  auto file = open_to_read(path);
  if (!file) return std::unexpected(std::move(file.error()));
  return head_of(*file);
}

Result<void> write_difference(const std::string& base, const std::string& whole,
                              const std::string& path) {
  auto file = Connection::open({.path = path});
  if (!file) return std::unexpected(std::move(file.error()));
  // One file, without a log beside it.
  auto made = file->script(
      "PRAGMA journal_mode=DELETE; PRAGMA application_id=" + std::to_string(kApplicationId) +
      "; CREATE TABLE head(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
      "CREATE TABLE page(number INTEGER PRIMARY KEY, content BLOB NOT NULL)");
  if (!made) return made;
  auto transaction = sqlite::Transaction::begin(*file);
  if (!transaction) return std::unexpected(std::move(transaction.error()));
  if (auto written = write_head(*file, base, whole); !written) return written;
  if (auto written = write_pages(*file, base, whole); !written) return written;
  return transaction->commit();
}

Result<void> rebuild(const std::string& path,
                     const std::function<Result<void>(std::string_view)>& take) {
  const auto head = read_difference(path);
  if (!head) return altered(path, head.error());
  const std::string base = (fs::path(path).parent_path() / head->base).string();
  std::error_code ignored;
  if (!fs::exists(base, ignored)) {
    return fail(ErrorCode::kNotFound,
                both(path + " 只含与 " + head->base +
                         " 的差异，而后者不在旁边；请把它放回同一文件夹，或改用另一个备份",
                     path + " holds only what differs from " + head->base +
                         ", which is not beside it: put that file back into the same folder, or "
                         "restore another backup"));
  }
  const auto base_sha256 = sha256_of_file(base);
  if (!base_sha256) return std::unexpected(base_sha256.error());
  if (*base_sha256 != head->base_sha256) {
    return fail(ErrorCode::kCorrupt,
                both(path + " 以 " + base + " 为基础，而后者与备份时不同",
                     path + " stands on " + base + ", which is not as it was written"));
  }
  auto file = open_to_read(path);
  if (!file) return altered(path, file.error());
  auto pages = Differing::of(*file);
  if (!pages) return altered(path, pages.error());
  Pages base_pages(base);
  Sha256 digest;
  const auto laid = lay_over(base_pages, *pages, head->bytes, [&](std::string_view part) {
    digest.add(part);
    return take(part);
  });
  if (!laid) return altered(path, laid.error());
  if (pages->at_end() && to_hex(digest.end()) == head->sha256) return {};
  return altered(path, {ErrorCode::kCorrupt, "", {}});
}

}  // namespace gridwhistle::app
