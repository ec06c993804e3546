#include "commands/guard/guard.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/digest.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "cli/app.hpp"
#include "commands/guard/guard_view.hpp"
#include "commands/shared/guards.hpp"
#include "commands/shared/run_record.hpp"
#include "sql/template.hpp"

namespace taskctl {

namespace {

constexpr std::size_t k_default_entries = 50;
/// Whoever waits for the table's lock makes every later writer wait behind it.
constexpr Duration k_longest_lock_wait = std::chrono::seconds{1};
/// Validating reads the whole table, while writers go on.
constexpr Duration k_longest_statement = std::chrono::hours{1};

Guard guard_of(Session& session) {
  return {*session.connection, session.profile, session.schema, session.journal->schema_name()};
}

GuardRules rules_of(Guard& guard, GuardMode mode) {
  GuardDefinition definition = guard.definition(mode);
  std::vector<std::optional<std::int64_t>> wrong = guard.count_wrong(definition.rules);
  return {std::move(definition.rules), std::move(wrong), std::move(definition.left_out)};
}

Json texts_json(const std::vector<std::string>& statements) {
  Json list = Json::array();
  for (const std::string& statement : statements) {
    std::string text = for_people(statement);
    text.pop_back();
    list.push_back(std::move(text));
  }
  return list;
}

void print_statements(Streams& streams, const std::vector<std::string>& statements) {
  for (const std::string& statement : statements) {
    streams.out(for_people(statement));
  }
}

/// install and remove: statements → (dry run ends) → confirmation → banner → lock → one transaction.
class GuardChange {
 public:
  GuardChange(Context& context, const GuardOptions& options)
      : m_context{context},
        m_streams{context.streams()},
        m_options{options},
        m_install{options.action == GuardOptions::Action::install},
        m_mode{options.mode.value_or(GuardMode::reject)} {}

  int run() {
    const std::unique_ptr<Session> reading = m_context.open(m_options.target, nullptr, Access::read, true);
    Guard guard = guard_of(*reading);
    const std::vector<std::string> statements = wanted(guard);
    if (m_install) {
      m_rules = rules_of(guard, m_mode);
    }
    const bool dropping_log = !m_install && guard.has_log();
    const bool validates = m_install && m_rules.can_validate() && !guard.validation().empty();
    warn_of_own_triggers(guard);
    if (m_options.change.dry_run || (statements.empty() && !validates)) {
      return nothing_done(*reading, guard, statements);
    }
    if (dropping_log) {
      m_streams.warn("taskctl_guard_log goes too; `taskctl guard report` prints what it holds");
    }
    m_streams.talk("no backup is made: constraints, triggers and functions change, no task does");
    const std::string action = m_install ? fmt::format("guard install --mode {}", to_string(m_mode)) : "guard remove";
    require_permission(m_context, *reading, action, m_options.change, m_options.output.format);
    return change(*reading, action);
  }

 private:
  std::vector<std::string> wanted(Guard& guard) {
    return m_install ? guard.install_statements(m_mode) : guard.remove_statements();
  }

  /// SQLite's triggers cannot change the row that is being written: one that clears the finished time of a task which
  /// is queued again does so by a second UPDATE, after the guard has seen the first.
  void warn_of_own_triggers(const Guard& guard) {
    const std::vector<std::string>& triggers = guard.table().triggers;
    if (m_install && m_mode == GuardMode::reject && !triggers.empty() && guard.engine() == Engine::sqlite) {
      m_streams.warn(
          fmt::format("{} has triggers of its own ({}): a guard does not wait for what they set; begin with "
                      "--mode log",
                      guard.table().name.display(), join(triggers, ", ")));
    }
  }

  int nothing_done(const Session& session, const Guard& guard, const std::vector<std::string>& statements) {
    if (m_options.output.format == OutputFormat::json) {
      m_streams.line(dump_pretty(json(session, guard, statements, "")));
      return static_cast<int>(ExitCode::ok);
    }
    if (!m_options.change.dry_run && m_streams.options().quiet) {
      return static_cast<int>(ExitCode::ok);
    }
    print_statements(m_streams, statements);
    if (m_install) {
      print_guard_rules(m_streams, m_rules);
      say_wrong_rows();
    }
    if (!statements.empty() && !session.journal->exists()) {
      m_streams.talk("the journal (taskctl_runs, taskctl_changes) would be created for the history");
    }
    m_streams.talk(!statements.empty()                      ? "dry run: nothing was changed"
                   : m_options.change.dry_run || !m_install ? "nothing to do"
                                                            : "nothing to do: everything is installed");
    return static_cast<int>(ExitCode::ok);
  }

  int change(Session& reading, const std::string& action) {
    reading.open_options.busy_wait = std::min(reading.open_options.busy_wait, k_longest_lock_wait);
    reading.open_options.statement_timeout = k_longest_statement;
    const std::unique_ptr<Session> session = m_context.reopen_for_writing(reading, m_options.change);
    m_streams.talk(banner(*session));
    Connection& connection = *session->connection;
    const std::unique_ptr<RunLock> lock = m_context.drivers()
                                              .of(connection.engine())
                                              .lock(connection, session->location,
                                                    {.command = action,
                                                     .wait = m_options.change.lock_wait.value_or(Duration{}),
                                                     .stop = &m_context.stop()});
    Guard guard = guard_of(*session);
    guard.require_owner();
    const std::vector<std::string> statements = wanted(guard);
    const bool first_run = !session->journal->exists();
    guard.run(statements, [&] { record(*session, action); });
    if (first_run) {
      m_streams.talk("created the journal (taskctl_runs, taskctl_changes) in the target database");
    }
    const std::string validated = m_install ? validate(guard) : "";
    if (m_options.output.format == OutputFormat::json) {
      m_streams.line(dump_pretty(json(*session, guard, statements, validated)));
    } else if (!m_streams.options().quiet) {
      report(guard, statements, validated);
    }
    return static_cast<int>(validated == "busy" ? ExitCode::partial : ExitCode::ok);
  }

  /// In the guard's own transaction: `taskctl history` shows who installed or removed it, or nobody did.
  void record(Session& session, const std::string& action) {
    session.journal->create_here();
    RunRecord run = new_run_record(m_context, session, action, m_options.change.reason);
    run.state = RunState::done;
    run.finished = run.started;
    run.plan_nonce = random_uuid();
    session.journal->insert_run(run);
    m_run = run.id;
  }

  /// "yes", "no", "busy"; empty where there is nothing to validate.
  std::string validate(Guard& guard) {
    m_rules.wrong = guard.count_wrong(m_rules.rules);
    const std::string statement = guard.validation();
    if (statement.empty()) {
      return {};
    }
    if (!m_rules.can_validate()) {
      return "no";
    }
    try {
      guard.run({statement});
      return "yes";
    } catch (const ConstraintError&) {
      return "no";  // a row that was written between the count and the guard
    } catch (const BusyError& error) {
      m_streams.warn("the constraint guards new rows but is not validated: " + error.message());
      return "busy";
    }
  }

  void report(const Guard& guard, const std::vector<std::string>& statements, const std::string& validated) {
    const std::string table = guard.table().name.display();
    if (!m_install) {
      m_streams.line(fmt::format("removed the guard of {}: {} statements", table, statements.size()));
      return;
    }
    print_guard_rules(m_streams, m_rules);
    m_streams.line(fmt::format("guard of {} installed, mode {}{}", table, to_string(m_mode),
                               validated == "yes"  ? "; the constraint is validated"
                               : validated.empty() ? ""
                                                   : "; the constraint is NOT VALID"));
    say_wrong_rows();
  }

  void say_wrong_rows() {
    if (m_rules.any_wrong()) {
      m_streams.line(
          "rows are wrong already: the guard stops new ones only; run `taskctl reconcile`, then install again");
    }
  }

  [[nodiscard]] Json json(const Session& session, const Guard& guard, const std::vector<std::string>& statements,
                          const std::string& validated) const {
    Json result{{"schema", "taskctl.guard/1"},
                {"target", session.target_name()},
                {"profile", session.profile.name},
                {"table", guard.table().name.display()},
                {"action", m_install ? "install" : "remove"},
                {"mode", m_install ? Json(to_string(m_mode)) : Json()},
                {"dry_run", m_options.change.dry_run},
                {"run", m_run.empty() ? Json() : Json(m_run)},
                {"statements", texts_json(statements)}};
    if (m_install) {
      result["rules"] = guard_rules_json(m_rules);
      result["not_guarded"] = m_rules.left_out;
      result["validated"] = validated.empty() ? Json() : Json(validated == "yes");
    }
    return result;
  }

  Context& m_context;
  Streams& m_streams;
  const GuardOptions& m_options;
  bool m_install;
  GuardMode m_mode;
  GuardRules m_rules;
  std::string m_run;  ///< id in the journal; empty when nothing was changed
};

int show_status(Context& context, const GuardOptions& options) {
  const std::unique_ptr<Session> session = context.open(options.target, nullptr, Access::read, false);
  Guard guard = guard_of(*session);
  const GuardStatus status = guard.status(options.mode);
  const GuardRules rules = rules_of(guard, options.mode.value_or(status.mode.value_or(GuardMode::reject)));
  if (options.output.format == OutputFormat::json) {
    context.streams().line(dump_pretty(guard_status_json(*session, guard.table(), status, rules)));
  } else {
    print_guard_status(context.streams(), *session, guard.table(), status, rules);
  }
  const bool well = status.matches() && !status.switched_off;
  return static_cast<int>(options.exit_code && !well ? ExitCode::findings : ExitCode::ok);
}

int print_sql(Context& context, const GuardOptions& options) {
  const std::unique_ptr<Session> session = context.open(options.target, nullptr, Access::read, false);
  const GuardDefinition definition = guard_of(*session).definition(options.mode.value_or(GuardMode::reject));
  std::vector<std::string> statements;
  for (const GuardObject& object : definition.objects) {
    statements.insert(statements.end(), object.create.begin(), object.create.end());
  }
  if (options.output.format == OutputFormat::json) {
    context.streams().line(dump_pretty({{"schema", "taskctl.guard-print/1"}, {"statements", texts_json(statements)}}));
  } else {
    print_statements(context.streams(), statements);
  }
  return static_cast<int>(ExitCode::ok);
}

int show_report(Context& context, const GuardOptions& options) {
  const std::unique_ptr<Session> session = context.open(options.target, nullptr, Access::read, false);
  Guard guard = guard_of(*session);
  const std::vector<GuardRecord> records = guard.report(options.limit.value_or(k_default_entries));
  if (options.output.format == OutputFormat::json) {
    context.streams().line(dump_pretty(guard_report_json(*session, records)));
    return static_cast<int>(ExitCode::ok);
  }
  print_guard_report(context.streams(), records);
  if (!guard.has_log()) {
    context.streams().talk("there is no log: `taskctl guard install --mode log` starts one");
  }
  return static_cast<int>(ExitCode::ok);
}

}  // namespace

void declare_guard(CLI::App& app, GuardOptions& options) {
  using Action = GuardOptions::Action;
  options.target.declare(app);
  options.change.declare(app, false);
  options.output.declare(app);
  add_choice(app, "--mode", "mode", "reject a contradiction, or let it pass and log who wrote it (default reject)",
             {"reject", "log"}, [&options](const std::string& text) { options.mode = parse_guard_mode(text); })
      ->type_name("MODE");
  app.add_flag("--exit-code", options.exit_code)
      ->description("status: end with 4 when the guard is not what the profile wants");
  add_parsed(app, "--limit", "report: at most this many records, the newest (default 50)",
             [&options](const std::string& text) { options.limit = parse_count(text, "--limit"); })
      ->type_name("N");
  app.require_subcommand(1, 1);
  const auto action = [&](const char* name, const char* description, Action value) {
    app.add_subcommand(name, description)->fallthrough()->parse_complete_callback([&options, value] {
      options.action = value;
    });
  };
  action("install", "put constraints and triggers on the task table", Action::install);
  action("status", "say what is installed and whether it matches the profile", Action::status);
  action("remove", "take every taskctl_guard_* of the task table away, and nothing else", Action::remove);
  action("print", "print the SQL, without touching the database", Action::print);
  action("report", "list what a guard in mode log recorded, newest first", Action::report);
}

int run_guard(Context& context, const GuardOptions& options) {
  switch (options.action) {
    case GuardOptions::Action::install:
    case GuardOptions::Action::remove:
      return GuardChange{context, options}.run();
    case GuardOptions::Action::print:
      return print_sql(context, options);
    case GuardOptions::Action::report:
      return show_report(context, options);
    case GuardOptions::Action::status:
    case GuardOptions::Action::none:
      break;
  }
  return show_status(context, options);
}

}  // namespace taskctl
