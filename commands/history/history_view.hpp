#pragma once

#include <string>
#include <vector>

#include "cli/context.hpp"
#include "model/run.hpp"
#include "view/format.hpp"

namespace taskctl {

// What is read from the journal waits in a spool until the transaction is over: a pager must not hold a lock.

/// "ops (sudo)@db1"
[[nodiscard]] std::string author_text(const Author& author);

void print_runs(Streams& streams, const Session& session, const std::vector<RunRecord>& runs, OutputFormat format);
/// One run with every row that it changed. `words`: how a command that is to be typed next names the target.
void print_run(Streams& streams, Session& session, const RunRecord& run, OutputFormat format, const std::string& words);
/// Who did what to each task, oldest first.
void print_tasks(Streams& streams, Session& session, const std::vector<std::string>& tasks, OutputFormat format);
/// JSON lines: a run, then its changes, for each run.
void export_runs(Streams& streams, Session& session, const std::vector<RunRecord>& runs);

}  // namespace taskctl
