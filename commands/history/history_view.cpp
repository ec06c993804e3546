#include "commands/history/history_view.hpp"

#include <fmt/format.h>

#include <map>

#include "base/spool.hpp"
#include "base/text.hpp"
#include "base/timestamp.hpp"
#include "commands/shared/run_record.hpp"
#include "view/finding_table.hpp"
#include "view/json.hpp"
#include "view/table_writer.hpp"

namespace taskctl {

namespace {

std::string seconds_text(Instant at) {
  return format_instant(std::chrono::floor<std::chrono::seconds>(at));
}

/// "undo 20251119T165456-3fa9c1"
std::string command_text(const RunRecord& run) {
  return run.undoes.empty() ? run.command : "undo " + run.undoes;
}

std::string change_text(const Change& change) {
  std::string text = fmt::format("    {} {} {}\n", to_string(change.operation), change.table.display(),
                                 printable(change.key.display()));
  for (const std::string& line : change_lines(change)) {
    text += "        " + line + "\n";
  }
  return text;
}

std::string outcome_text(const JournalEntry& entry) {
  return (entry.outcome.empty() ? "as before" : entry.outcome) + (entry.rule.empty() ? "" : "  (" + entry.rule + ")");
}

void print_spool(Streams& streams, const Spool& spool) {
  spool.for_each([&streams](std::string_view record) { streams.out(std::string{record}); });
}

/// The elements of an array that was opened already, and its end.
void print_array(Streams& streams, const Spool& elements) {
  bool first = true;
  elements.for_each([&](std::string_view element) {
    streams.out((first ? "\n" : ",\n") + std::string{element});
    first = false;
  });
  streams.line(first ? "]}" : "\n]}");
}

void print_head(Streams& streams, const RunRecord& run, const std::vector<std::string>& undone_by,
                const std::string& words) {
  const auto pair = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) {
      streams.line(fmt::format("  {:<12} {}", name, printable(value)));
    }
  };
  streams.line(fmt::format("run {}", run.id));
  pair("command", run.command);
  pair("state", to_string(run.state));
  pair("started", format_instant(run.started));
  pair("finished", run.finished ? format_instant(*run.finished) : "never: it was killed, or runs still");
  pair("who", author_text(run.author));
  pair("reason", run.reason);
  pair("arguments", run.arguments);
  pair("profile", run.profile);
  pair("version", run.version);
  pair("backup", run.backup);
  pair("undoes", run.undoes);
  pair("undone by", join(undone_by, ", "));
  pair("--now", run.detection_now ? format_instant(*run.detection_now) : "");
  pair("applied", fmt::to_string(run.applied));
  pair("not applied",
       fmt::format("moved on {}, conflict {}, busy {}, failed {}", run.moved_on, run.conflicts, run.busy, run.failed));
  if (run.state != RunState::done && is_resumable(run) && undone_by.empty()) {
    pair("the rest", fmt::format("taskctl resume {}{} --dry-run", run.id, words));
  }
}

/// Runs that changes name, each looked up once.
class KnownRuns {
 public:
  explicit KnownRuns(Journal& journal) : m_journal{journal} {}

  const RunRecord& of(const std::string& id) {
    auto found = m_runs.find(id);
    if (found == m_runs.end()) {
      RunRecord unknown;
      unknown.id = id;
      found = m_runs.emplace(id, m_journal.find_run(id).value_or(std::move(unknown))).first;
    }
    return found->second;
  }

 private:
  Journal& m_journal;
  std::map<std::string, RunRecord> m_runs;
};

struct TaskChange {
  std::string run;
  JournalEntry entry;
};

std::vector<TaskChange> changes_of(Session& session, const std::string& task) {
  std::vector<TaskChange> changes;
  session.journal->read_task_changes(task, [&changes](const std::string& run, JournalEntry&& entry) {
    changes.push_back({.run = run, .entry = std::move(entry)});
  });
  return changes;
}

Json task_json(const std::string& task, const std::vector<TaskChange>& changes, KnownRuns& runs) {
  Json list = Json::array();
  for (const TaskChange& change : changes) {
    const RunRecord& run = runs.of(change.run);
    Json one{{"run", run.id},
             {"command", run.command},
             {"author", to_json(run).at("author")},
             {"reason", run.reason},
             {"undoes", run.undoes.empty() ? Json(nullptr) : Json(run.undoes)}};
    one.update(to_json(change.entry));
    list.push_back(std::move(one));
  }
  return {{"task", task}, {"changes", std::move(list)}};
}

void print_task(Streams& streams, const std::string& task, const std::vector<TaskChange>& changes, KnownRuns& runs) {
  if (changes.empty()) {
    streams.line(fmt::format("{}: no run in the journal has changed it", printable(task)));
    return;
  }
  streams.line(printable(task));
  std::string shown;
  for (const TaskChange& change : changes) {
    if (change.run != shown) {
      shown = change.run;
      const RunRecord& run = runs.of(change.run);
      streams.line(fmt::format("  {}  {}  {}  {}  → {}{}", seconds_text(change.entry.applied_at), run.id,
                               command_text(run), author_text(run.author), outcome_text(change.entry),
                               run.reason.empty() ? "" : "  \"" + printable(run.reason) + "\""));
    }
    streams.out(change_text(change.entry.change));
  }
}

}  // namespace

std::string author_text(const Author& author) {
  return (author.sudo_user.empty() ? author.user : author.sudo_user + " (sudo)") + "@" + author.host;
}

void print_runs(Streams& streams, const Session& session, const std::vector<RunRecord>& runs, OutputFormat format) {
  if (format == OutputFormat::json) {
    Json list = Json::array();
    for (const RunRecord& run : runs) {
      list.push_back(to_json(run));
    }
    streams.line(dump_pretty({{"schema", "taskctl.history/1"}, {"target", session.target_name()}, {"runs", list}}));
    return;
  }
  TableWriter table{{{.title = "RUN"},
                     {.title = "STARTED"},
                     {.title = "COMMAND"},
                     {.title = "STATE"},
                     {.title = "APPLIED", .right = true},
                     {.title = "CONFLICT", .right = true},
                     {.title = "WHO", .shrinkable = true},
                     {.title = "REASON", .shrinkable = true}}};
  for (const RunRecord& run : runs) {
    table.row({run.id, seconds_text(run.started), command_text(run), std::string{to_string(run.state)},
               resumed_run(run).empty() ? fmt::to_string(run.applied) : "-", fmt::to_string(run.conflicts),
               author_text(run.author), run.reason});
  }
  table.write(streams);
  if (runs.empty()) {
    streams.line("no run has changed this database");
  }
}

void print_run(Streams& streams, Session& session, const RunRecord& run, OutputFormat format,
               const std::string& words) {
  const std::vector<std::string> undone_by = session.journal->undone_by(run.id);
  Spool spool;
  if (format == OutputFormat::json) {
    session.journal->read_changes(run.id, [&spool](JournalEntry&& entry) { spool.append(dump(to_json(entry))); });
    Json head = to_json(run);
    head["undone_by"] = undone_by;
    std::string text = dump({{"schema", "taskctl.history-show/1"}, {"target", session.target_name()}, {"run", head}});
    text.pop_back();
    streams.out(text + ",\n\"changes\":[");
    print_array(streams, spool);
    return;
  }
  std::string task;
  session.journal->read_changes(run.id, [&](JournalEntry&& entry) {
    if (entry.task != task || entry.sequence == 1) {
      task = entry.task;
      spool.append(fmt::format("{}  → {}\n", printable(task), outcome_text(entry)));
    }
    spool.append(change_text(entry.change));
  });
  print_head(streams, run, undone_by, words);
  print_spool(streams, spool);
}

void print_tasks(Streams& streams, Session& session, const std::vector<std::string>& tasks, OutputFormat format) {
  KnownRuns runs{*session.journal};
  Json list = Json::array();
  for (const std::string& task : tasks) {
    const std::vector<TaskChange> changes = changes_of(session, task);
    if (format == OutputFormat::json) {
      list.push_back(task_json(task, changes, runs));
    } else {
      print_task(streams, task, changes, runs);
    }
  }
  if (format == OutputFormat::json) {
    streams.line(
        dump_pretty({{"schema", "taskctl.history-task/1"}, {"target", session.target_name()}, {"tasks", list}}));
  }
}

void export_runs(Streams& streams, Session& session, const std::vector<RunRecord>& runs) {
  for (const RunRecord& run : runs) {
    Json head{{"type", "run"}, {"schema", "taskctl.history-export/1"}, {"target", session.target_name()}};
    head.update(to_json(run));
    Spool spool;
    spool.append(dump(head) + "\n");
    session.journal->read_changes(run.id, [&](JournalEntry&& entry) {
      Json json{{"type", "change"}, {"run", run.id}};
      json.update(to_json(entry));
      spool.append(dump(json) + "\n");
    });
    print_spool(streams, spool);
  }
}

}  // namespace taskctl
