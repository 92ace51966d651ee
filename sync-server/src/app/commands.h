#pragma once

#include "app/command.h"
#include "app/directory.h"
#include "app/output.h"
#include "app/run.h"
#include "county/county.h"

// One function a command; run.h calls the right one.
namespace gridwhistle::app {

struct Context {
  County& county;
  const Files& files;
  const Surroundings& surroundings;
  const Output& output;
  Directory directory{county};
};

ExitCode run_command(Context& context, const ImportCommand& command);
ExitCode run_command(Context& context, const ImportBundleCommand& command);
ExitCode run_command(Context& context, const EnrolCommand& command);
ExitCode run_command(Context& context, const RevokeCommand& command);
ExitCode run_command(Context& context, const DevicesCommand& command);
ExitCode run_command(Context& context, const GridSplitCommand& command);
ExitCode run_command(Context& context, const GridMergeCommand& command);
ExitCode run_command(Context& context, const HandoverCommand& command);
ExitCode run_command(Context& context, const QueueListCommand& command);
ExitCode run_command(Context& context, const QueueAssignCommand& command);
ExitCode run_command(Context& context, const InboxCommand& command);
ExitCode run_command(Context& context, const ActCommand& command);
ExitCode run_command(Context& context, const ReviewListCommand& command);
ExitCode run_command(Context& context, const ReviewShowCommand& command);
ExitCode run_command(Context& context, const ReviewAcceptCommand& command);
ExitCode run_command(Context& context, const ReviewReturnCommand& command);
ExitCode run_command(Context& context, const ReviewDoneCommand& command);
ExitCode run_command(Context& context, const ExplainCommand& command);
ExitCode run_command(Context& context, const ForgetCommand& command);
ExitCode run_command(Context& context, const RetentionCommand& command);
ExitCode run_command(Context& context, const StatusCommand& command);
ExitCode run_command(Context& context, const VerifyCommand& command);
ExitCode run_command(Context& context, const ExportCommand& command);
ExitCode run_command(Context& context, const BackupCommand& command);

/// What became of an action, told; shared by `act` and `queue assign`.
/// `more` follows the reason, where there is one.
ExitCode tell_result(const Context& context, const ActionResult& result, const Line& more = {});

}  // namespace gridwhistle::app
