#include "commands/history/history_prune.hpp"

#include <fmt/format.h>

#include "base/digest.hpp"
#include "base/duration.hpp"
#include "base/error.hpp"
#include "base/timestamp.hpp"
#include "commands/shared/guards.hpp"
#include "commands/shared/plan_view.hpp"
#include "commands/shared/privileges.hpp"
#include "commands/shared/run_record.hpp"
#include "view/json.hpp"

namespace taskctl {

namespace {

/// Of one transaction: some milliseconds, however large the images are.
constexpr std::size_t k_chunk = 500;

struct Pruned {
  std::int64_t runs = 0, changes = 0;
  bool stopped = false;
};

Pruned total_of(const std::vector<PrunableRun>& runs) {
  Pruned total;
  for (const PrunableRun& run : runs) {
    ++total.runs;
    total.changes += run.changes;
  }
  return total;
}

std::string amount_text(const Pruned& pruned) {
  return fmt::format("{} with {}", counted(pruned.runs, "run"), counted(pruned.changes, "change"));
}

Json result_json(const Session& session, const Pruned& pruned, Instant before, bool dry_run) {
  return {{"schema", "taskctl.history-prune/1"},
          {"target", session.target_name()},
          {"before", format_instant(before)},
          {"dry_run", dry_run},
          {"runs", pruned.runs},
          {"changes", pruned.changes},
          {"stopped", pruned.stopped}};
}

/// Who removed what, in the place of what was removed.
void record_pruning(Context& context, Session& session, const HistoryOptions& options) {
  RunRecord run = new_run_record(context, session, "history prune", options.change.reason);
  run.state = RunState::done;
  run.finished = run.started;
  run.plan_nonce = random_uuid();
  Transaction transaction{*session.connection, Access::write};
  session.journal->insert_run(run);
  transaction.commit();
}

Pruned prune_runs(Context& context, Session& session, const std::vector<PrunableRun>& runs) {
  Pruned pruned;
  for (const PrunableRun& run : runs) {
    if (context.stop().requested() ||
        !session.journal->prune(run.id, k_chunk, [&context] { return !context.stop().requested(); })) {
      pruned.stopped = true;
      break;
    }
    ++pruned.runs;
    pruned.changes += run.changes;
  }
  return pruned;
}

Pruned prune_locked(Context& context, Session& reading, const HistoryOptions& options, Instant before) {
  const std::unique_ptr<Session> session = context.reopen_for_writing(reading, options.change);
  context.streams().talk(banner(*session));
  // A run whose pruning has begun cannot be undone: not to be begun when it cannot be ended.
  require_journal_rights(*session, Journal::Rights::prune);
  const std::unique_ptr<RunLock> lock = context.drivers()
                                            .of(session->connection->engine())
                                            .lock(*session->connection, session->location,
                                                  {.command = "history prune",
                                                   .wait = options.change.lock_wait.value_or(Duration{}),
                                                   .stop = &context.stop()});
  const std::vector<PrunableRun> runs = session->journal->prunable(before);  // again: under the lock
  record_pruning(context, *session, options);
  return prune_runs(context, *session, runs);
}

}  // namespace

int prune_history(Context& context, const HistoryOptions& options) {
  if (!options.older_than) {
    throw Error{ExitCode::usage, "history prune needs '--older-than'",
                "For example --older-than 90d: runs that ended before that leave the journal and cannot be undone."};
  }
  Streams& streams = context.streams();
  const std::unique_ptr<Session> reading = context.open(options.target, nullptr, Access::read, true);
  const Instant before = reading->connection->now() - *options.older_than;
  const Pruned found = total_of(reading->journal->prunable(before));
  const bool json = options.output.format == OutputFormat::json;
  if (found.runs == 0 || options.change.dry_run) {
    if (json) {
      streams.line(dump_pretty(result_json(*reading, found, before, true)));
    } else {
      streams.line(fmt::format("{} older than {} would leave the journal{}", amount_text(found),
                               format_duration(*options.older_than), found.runs == 0 ? ": nothing to do" : ""));
    }
    return static_cast<int>(ExitCode::ok);
  }
  streams.talk(fmt::format("for good out of the journal: {}; what was changed stays as it is, but cannot be undone",
                           amount_text(found)));
  require_permission(context, *reading, fmt::format("history prune ({})", amount_text(found)), options.change,
                     options.output.format);
  const Pruned pruned = prune_locked(context, *reading, options, before);
  if (json) {
    streams.line(dump_pretty(result_json(*reading, pruned, before, false)));
  } else if (!streams.options().quiet || pruned.stopped) {
    streams.line(fmt::format("{} left the journal", amount_text(pruned)));
  }
  if (pruned.stopped) {
    streams.talk("stopped by a signal; the next pruning goes on");
    return 128 + context.stop().signal();
  }
  return static_cast<int>(ExitCode::ok);
}

}  // namespace taskctl
