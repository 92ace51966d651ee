#include <filesystem>
#include <memory>
#include <optional>

#include "cli/commands.h"
#include "cli/evidence.h"
#include "cli/own_words.h"
#include "cli/words.h"
#include "gridwhistle/v1/records.pb.h"
#include "schema/kinds.h"
#include "terminal/help.h"
#include "terminal/usage.h"

// Pictures and documents: attached to a record, and fetched to look at.
namespace gridwhistle::cli {

namespace {

struct AttachWords {
  std::string record;
  std::string file;
  std::string name;
  bool evidence = false;
};

Exit attach(Phone& phone, const Output& output, const AttachWords& words) {
  const auto named = record_from(phone.client(), words.record);
  if (!named) return output.failed(named.error());
  auto attachment =
      phone.client().keep_file(words.file, {media_type_of(words.file), words.evidence});
  if (!attachment) return output.failed(attachment.error());
  const ClientStatus status = phone.client().status();
  attachment->set_parent(std::string(named->id.bytes()));
  attachment->set_parent_kind(named->kind->id.value);
  attachment->set_author(std::string(status.worker.bytes()));
  if (!words.name.empty()) attachment->set_name(words.name);
  const auto id = phone.client().put(*attachment);
  if (!id) return output.failed(with_areas(phone.client(), id.error()));
  if (output.wants_json()) {
    output.document({{"id", id->text()}, {"size_bytes", attachment->size_bytes()}});
  } else {
    output.line(std::string(output.say("已附上  ", "attached  ")) + id->text());
  }
  return Exit::kOk;
}

Exit fetch(Phone& phone, const Output& output, const std::string& word, const std::string& to) {
  const auto named = record_from(phone.client(), word);
  if (!named) return output.failed(named.error());
  if (named->kind->id != kinds::kAttachment) {
    return output.failed(
        {ErrorCode::kInvalid,
         about(word, both("不是附件；附件的标识见 gw list attachments",
                          "is no attachment; `gw list attachments` has their ids")),
         ""});
  }
  std::optional<Result<std::string>> path;
  phone.client().fetch(named->id, [&](Result<std::string> done) {
    path = std::move(done);
    phone.loop().stop();
  });
  phone.loop().run();
  if (!path) return output.failed({ErrorCode::kTimeout, both("已中断", "interrupted"), ""});
  if (!*path) return output.failed(path->error());
  std::string at = **path;
  if (!to.empty()) {
    std::error_code wrong;
    std::filesystem::copy_file(at, to, std::filesystem::copy_options::none, wrong);
    if (wrong) {
      return output.failed(
          {wrong == std::errc::file_exists ? ErrorCode::kAlreadyExists : ErrorCode::kIo,
           about(to, both("不能写入：" + wrong.message(), "cannot be written: " + wrong.message())),
           ""});
    }
    at = to;
  }
  if (output.wants_json()) {
    output.document({{"path", at}});
  } else {
    output.line(at);
  }
  return Exit::kOk;
}

}  // namespace

void add_attachment_commands(CLI::App& app, const Settings&, Chosen& chosen) {
  auto words = std::make_shared<AttachWords>();
  CLI::App* attaching = app.add_subcommand(
      "attach", both("把照片或文件附在一条记录上", "attach a picture or document to a record"));
  attaching
      ->add_option("record", words->record,
                   both("记录的标识，或哨声的编号", "its id, or a whistle's number"))
      ->required();
  attaching->add_option("file", words->file, both("文件", "the file"))->required();
  attaching->add_option("--name", words->name, both("名称", "what to call it"));
  attaching->add_flag("--evidence", words->evidence,
                      both("作为凭证：照片中的拍摄位置不去除",
                           "it proves something: where a picture was taken stays in it"));
  terminal::add_examples(*attaching, {"gw attach EAP6-000008-6 manhole.jpg"});
  attaching->callback([words, &chosen] {
    chosen.action = [words](Phone& p, const Output& o) { return attach(p, o, *words); };
  });

  struct FetchWords {
    std::string attachment;
    std::string to;
  };
  auto wanted = std::make_shared<FetchWords>();
  CLI::App* fetching = app.add_subcommand(
      "fetch",
      both("取一个附件的内容，给出文件所在", "fetch an attachment's bytes, and say where"));
  fetching->add_option("attachment", wanted->attachment, both("附件的标识", "the attachment's id"))
      ->required();
  fetching->add_option("--to", wanted->to,
                       both("另存为，不覆盖已有文件", "copy it there; writes over nothing"));
  terminal::add_examples(*fetching, {"gw fetch ID", "gw fetch ID --to before.jpg"});
  fetching->callback([wanted, &chosen] {
    chosen.action = [wanted](Phone& p, const Output& o) {
      return fetch(p, o, wanted->attachment, wanted->to);
    };
  });
}

}  // namespace gridwhistle::cli
