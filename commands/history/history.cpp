#include "commands/history/history.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "base/timestamp.hpp"
#include "cli/app.hpp"
#include "view/finding_table.hpp"
#include "view/json.hpp"
#include "view/table_writer.hpp"

namespace taskctl {

namespace {

constexpr std::size_t k_default_limit = 50;

std::string author_of(const RunRecord& run) {
  const std::string user = run.author.sudo_user.empty() ? run.author.user : run.author.sudo_user + " (sudo)";
  return user + "@" + run.author.host;
}

void list_runs(Streams& streams, Session& session, const HistoryOptions& options) {
  const std::vector<RunRecord> runs = session.journal->runs(options.limit.value_or(k_default_limit));
  if (options.output.format == OutputFormat::json) {
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
    table.row({run.id, format_instant(std::chrono::floor<std::chrono::seconds>(run.started)),
               run.undoes.empty() ? run.command : "undo " + run.undoes, std::string{to_string(run.state)},
               fmt::to_string(run.applied), fmt::to_string(run.conflicts), author_of(run), run.reason});
  }
  table.write(streams);
  if (runs.empty()) {
    streams.line("no run has changed this database");
  }
}

void print_run(Streams& streams, const RunRecord& run, const std::vector<std::string>& undone_by) {
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
  pair("who", author_of(run));
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
}

void show_run(Streams& streams, Session& session, const RunRecord& run, OutputFormat format) {
  const std::vector<std::string> undone_by = session.journal->undone_by(run.id);
  if (format == OutputFormat::json) {
    Json head = to_json(run);
    head["undone_by"] = undone_by;
    std::string text = dump({{"schema", "taskctl.history-show/1"}, {"target", session.target_name()}, {"run", head}});
    text.pop_back();
    streams.out(text + ",\n\"changes\":[");
    bool first = true;
    session.journal->read_changes(run.id, [&](JournalEntry&& entry) {
      streams.out((first ? "\n" : ",\n") + dump(to_json(entry)));
      first = false;
    });
    streams.line(first ? "]}" : "\n]}");
    return;
  }
  print_run(streams, run, undone_by);
  std::string task;
  session.journal->read_changes(run.id, [&](JournalEntry&& entry) {
    if (entry.task != task || entry.sequence == 1) {
      task = entry.task;
      streams.line(fmt::format("{}  → {}{}", printable(task), entry.outcome.empty() ? "as before" : entry.outcome,
                               entry.rule.empty() ? "" : "  (" + entry.rule + ")"));
    }
    streams.line(fmt::format("    {} {} {}", to_string(entry.change.operation), entry.change.table.display(),
                             printable(entry.change.key.display())));
    for (const std::string& line : change_lines(entry.change)) {
      streams.line("        " + line);
    }
  });
}

}  // namespace

void declare_history(CLI::App& app, HistoryOptions& options) {
  options.target.declare(app);
  options.output.declare(app);
  add_parsed(app, "--limit", "list at most this many runs, the newest (default 50)",
             [&options](const std::string& text) { options.limit = parse_count(text, "--limit"); })
      ->type_name("N");
  app.require_subcommand(0, 1);
  CLI::App* show = app.add_subcommand("show", "show one run with every row that it changed")->fallthrough();
  show->add_option("RUN", options.run)->description("id of the run, or a prefix that only one has")->required();
}

int run_history(Context& context, const HistoryOptions& options) {
  const std::unique_ptr<Session> session = context.open(options.target, nullptr, Access::read, false);
  if (options.run.empty()) {
    list_runs(context.streams(), *session, options);
    return static_cast<int>(ExitCode::ok);
  }
  const std::string wanted = unshield(options.run);
  const std::optional<RunRecord> run = session->journal->find_run(wanted);
  if (!run) {
    throw Error{ExitCode::partial, fmt::format("no run has the id '{}'", wanted),
                "`taskctl history` lists the runs that changed this database."};
  }
  show_run(context.streams(), *session, *run, options.output.format);
  return static_cast<int>(ExitCode::ok);
}

}  // namespace taskctl
