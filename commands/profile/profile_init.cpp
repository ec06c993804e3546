#include "commands/profile/profile_init.hpp"

#include <algorithm>
#include <filesystem>
#include <map>

#include <fmt/format.h>

#include "base/duration.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "base/new_file.hpp"
#include "base/text.hpp"
#include "cli/app.hpp"
#include "profile/profile_reader.hpp"
#include "store/catalog.hpp"
#include "view/json.hpp"
#include "view/table_writer.hpp"

namespace taskctl {

namespace {

constexpr std::string_view k_class_mark = "class:";
constexpr std::string_view k_encoding_mark = "encoding:";

/// What a person types to decide a doubt.
std::string flag_text(const Doubt& doubt) {
  if (doubt.flag.starts_with(k_class_mark)) {
    return fmt::format("--failed {0}, --parked {0} …", shell_quoted(doubt.flag.substr(k_class_mark.size())));
  }
  if (doubt.flag.starts_with(k_encoding_mark)) {
    return fmt::format("--encoding {}=FORMAT (unix-s, unix-ms, text …)", doubt.flag.substr(k_encoding_mark.size()));
  }
  const std::string value = doubt.flag == "zone"     ? "ZONE (such as Europe/Berlin or +08:00)"
                            : doubt.flag == "active" ? "VALUE"
                            : doubt.flag == "table"  ? "TABLE"
                                                     : "COLUMN";
  return fmt::format("--{} {}", doubt.flag, doubt.usual.empty() ? value : shell_quoted(doubt.usual));
}

/// Looks, guesses, asks, and looks again where an answer leads to another table.
class Init {
 public:
  Init(Context& context, Session& session, Answers answers)
      : m_streams{context.streams()}, m_session{session}, m_answers{std::move(answers)} {}

  ProfileGuess run() {
    for (;;) {
      ProfileGuess guess = look();
      const auto open =
          std::ranges::find_if(guess.doubts, [this](const Doubt& doubt) { return !doubt.optional || can_ask(); });
      if (open == guess.doubts.end()) {
        return guess;
      }
      decide(*open);
    }
  }

  [[nodiscard]] const TableSketch& tasks() const { return m_tables.at(m_tasks); }

 private:
  [[nodiscard]] bool can_ask() const {
    return m_streams.options().in_is_terminal && m_streams.options().err_is_terminal;
  }

  /// One short reading; what was read of a table once is kept.
  ProfileGuess look() {
    Connection& connection = *m_session.connection;
    const Transaction transaction{connection, Access::read};
    if (m_tables.empty()) {
      const std::string& journal = m_session.config.target.journal_schema.value;
      m_tables = list_tables(connection, journal.empty() ? "taskctl" : journal);
    }
    const TableGuess table = guess_table(m_tables, connection.engine(), m_answers);
    m_tasks = table.index;
    if (tasks().info.name.name.find('.') != std::string::npos) {
      throw Error{ExitCode::mismatch,
                  fmt::format("table '{}' has a dot in its name, which a profile cannot write",
                              printable(tasks().info.name.display())),
                  "Rename the table, or take another one with --table."};
    }
    read_rows(m_tasks);
    std::vector<TableSketch> workers;
    for (const std::size_t index : worker_table_candidates(m_tables, connection.engine(), m_answers)) {
      if (index != m_tasks) {
        read_rows(index);
        workers.push_back(m_tables[index]);
      }
    }
    const Instant now = m_session.now.value_or(connection.now());
    ProfileGuess guess = guess_profile(tasks(), workers, connection.engine(), now, m_answers);
    if (const std::string status = guess.of("status").column; !status.empty()) {
      survey_values(connection, m_tables[m_tasks], status);
      guess = guess_profile(tasks(), workers, connection.engine(), now, m_answers);
    }
    guess.table_why = table.why;
    if (table.doubt) {
      guess.doubts.insert(guess.doubts.begin(), *table.doubt);
    }
    return guess;
  }

  void read_rows(std::size_t index) {
    TableSketch& table = m_tables[index];
    if (!table.info.can_select) {
      throw Error{ExitCode::access, fmt::format("table '{}' may not be read by this role", printable(table.name)),
                  "Ask for the right to SELECT from it, or name another one with --table or --worker-table."};
    }
    if (m_read.insert(index).second) {
      survey_rows(*m_session.connection, table);
    }
  }

  void decide(const Doubt& doubt) {
    if (!can_ask()) {
      std::vector<std::string> choices;
      for (const std::string& choice : doubt.choices) {
        choices.push_back("'" + printable(choice) + "'");
      }
      throw Error{ExitCode::refused,
                  fmt::format("cannot tell {}{}; nothing was written", printable(doubt.question),
                              choices.empty() ? "" : " (" + join(choices, ", ") + ")"),
                  fmt::format("Say it with {}.", printable(flag_text(doubt)))};
    }
    take(doubt, ask(doubt));
  }

  std::string ask(const Doubt& doubt) {
    std::string question = printable(doubt.question);
    if (!doubt.choices.empty()) {
      question += fmt::format(" ({})", printable(join(doubt.choices, ", ")));
    }
    const std::string usual = doubt.optional ? std::string{"leave it open"} : doubt.usual;
    question += usual.empty() ? "? " : fmt::format("? [{}] ", printable(usual));
    constexpr int k_tries = 3;
    for (int i = 0; i < k_tries; ++i) {
      const std::optional<std::string> answer = m_streams.ask(question);
      if (!answer) {
        break;
      }
      const std::string text = answer->empty() ? doubt.usual : *answer;
      const bool known =
          doubt.choices.empty() ? !text.empty() : std::ranges::find(doubt.choices, text) != doubt.choices.end();
      if (known || (doubt.optional && text.empty())) {
        return text;
      }
      m_streams.error(fmt::format("'{}' is none of these", printable(text)));
    }
    throw Error{ExitCode::refused, fmt::format("not answered: {}; nothing was written", printable(doubt.question)),
                fmt::format("Say it with {}.", printable(flag_text(doubt)))};
  }

  void take(const Doubt& doubt, const std::string& answer) {
    if (doubt.flag.starts_with(k_class_mark)) {
      m_answers[answer.empty() ? "unmapped" : answer].push_back(doubt.flag.substr(k_class_mark.size()));
    } else if (doubt.flag.starts_with(k_encoding_mark)) {
      m_answers["encoding"].push_back(doubt.flag.substr(k_encoding_mark.size()) + "=" + answer);
    } else {
      m_answers[doubt.flag].push_back(answer);
    }
  }

  Streams& m_streams;
  Session& m_session;
  Answers m_answers;
  std::vector<TableSketch> m_tables;
  std::set<std::size_t> m_read;
  std::size_t m_tasks = 0;
};

void write_profile(const ProfileInitOptions& options, const std::string& file, const std::string& text) {
  if (options.force) {
    write_file_durably(file, text);
    return;
  }
  if (std::filesystem::exists(std::filesystem::symlink_status(file))) {
    throw Error{ExitCode::refused, fmt::format("'{}' exists already; nothing was written", printable(file)),
                "Name another file with --to, or overwrite it with --force."};
  }
  NewFile made{file};
  made.append(text);
  made.publish();
}

Json init_json(const ProfileGuess& guess, const std::string& file) {
  Json json{{"schema", "taskctl.profile-init/1"}, {"file", file}, {"table", guess.table}, {"key", guess.key}};
  json["columns"] = Json::array();
  for (const Property& property : known_properties()) {
    const Guess& column = guess.of(std::string{property.flag});
    json["columns"].push_back({{"property", property.flag},
                               {"column", column.column.empty() ? Json() : Json(column.column)},
                               {"why", column.why},
                               {"others", column.others}});
  }
  json["counts_first_seen"] = guess.counts_first_seen;
  json["statuses"] = Json::array();
  for (const GuessedStatus& status : guess.statuses) {
    json["statuses"].push_back({{"status", status.text ? Json(*status.text) : Json()},
                                {"class", status.task_class ? Json(to_string(*status.task_class)) : Json()},
                                {"count", status.rows}});
  }
  return json;
}

void print_guess(Streams& streams, const ProfileGuess& guess) {
  TableWriter table{
      {{.title = "PROPERTY"}, {.title = "COLUMN", .shrinkable = true}, {.title = "WHY", .shrinkable = true}}};
  table.row({"table", guess.table, guess.table_why});
  table.row({"key", join(guess.key, ", "), guess.key_why});
  for (const Property& property : known_properties()) {
    const std::string flag{property.flag};
    const Guess& column = guess.of(flag);
    if (!column.column.empty()) {
      const auto encoding = guess.encodings.find(column.column);
      const bool unread = property.kind == PropertyKind::time && encoding == guess.encodings.end();
      const std::string how = property.kind != PropertyKind::time ? ""
                              : unread                            ? "; left out: no value says how it is written"
                                                                  : "; " + encoding->second.why;
      table.row({flag, column.column, column.why + how}, unread ? Style::yellow : Style::plain);
    }
  }
  if (guess.counts_first_seen) {
    table.row({"first seen", "-", "no column says when a task began: 'taskctl observe' notes who is active"});
  }
  if (guess.workers) {
    table.row({"worker-table", guess.workers->table, guess.workers->why});
  }
  table.write(streams);
  TableWriter statuses{{{.title = "STATUS", .shrinkable = true}, {.title = "CLASS"}, {.title = "ROWS", .right = true}}};
  for (const GuessedStatus& status : guess.statuses) {
    statuses.row(
        {status.text.value_or("NULL"), status.task_class ? std::string{to_string(*status.task_class)} : "not mapped",
         fmt::to_string(status.rows)},
        status.task_class ? Style::plain : Style::yellow);
  }
  statuses.write(streams);
  for (const GuessedCondition& condition : guess.conditions) {
    streams.line(fmt::format("{} when {}", to_string(condition.task_class), printable(condition.when)));
  }
}

/// The file as the next command takes it: an argument with a slash is a path.
std::string as_argument(const std::string& file) {
  return file.find('/') == std::string::npos ? "./" + file : file;
}

void warn_of_problems(Context& context, Session& session, const std::string& text, const std::string& file) {
  const Profile profile = parse_profile(text, file);
  const Transaction transaction{*session.connection, Access::read};
  const Schema schema = read_schema(*session.connection, profile);
  for (const SchemaProblem& problem : check_schema(profile, schema, session.connection->engine())) {
    context.streams().warn(printable(problem.where + ": " + problem.text));
  }
}

}  // namespace

void declare_profile_init(CLI::App& app, ProfileInitOptions& options) {
  const auto answer = [&](const std::string& flag, const char* value, const std::string& description) {
    add_parsed(app, "--" + flag, description, [&options, flag](const std::string& text) {
      options.answers[flag] = {text};
    })->type_name(value);
  };
  const auto answers = [&](const std::string& flag, const char* value, const std::string& description) {
    add_repeated(app, "--" + flag, description, [&options, flag](const std::string& text) {
      options.answers[flag].push_back(text);
    })->type_name(value);
  };
  add_parsed(app, "--to", "file to write (default: ./NAME.toml; '-': standard output)",
             [&options](const std::string& text) { options.file = text; })
      ->type_name("NEW");
  app.add_flag("--force", options.force)->description("overwrite the file");
  add_parsed(app, "--name", "the profile's name (default: from the table's)", [&options](const std::string& text) {
    options.name = text;
  })->type_name("NAME");
  answer("table", "TABLE", "the table of the tasks");
  answers("key", "COLUMN", "a column of its key; once for each");
  for (const Property& property : known_properties()) {
    answer(std::string{property.flag}, "COLUMN",
           fmt::format("the column of its {}; 'none' when there is none", property.flag));
  }
  for (const TaskClass task_class : k_task_classes) {
    answers(std::string{to_string(task_class)}, "VALUE", fmt::format("a status that means {}", to_string(task_class)));
  }
  answers("unmapped", "VALUE", "a status that no class is guessed for");
  answers("encoding", "COLUMN=FORMAT",
          "how a column's times are written: timestamptz, naive, text, unix-s, unix-ms, unix-us, unix-ns, unix-float, "
          "julian-day");
  answer("zone", "ZONE", "zone of times that carry none (default: UTC)");
  answer("worker-table", "TABLE", "the table of the workers, with their heartbeats; 'none' when there is none");
  answer("worker-key", "COLUMN", "the column of the workers' table that equals a task's worker");
  answer("worker-heartbeat", "COLUMN", "the column of the workers' table with the last sign of life");
  add_parsed(app, "--heartbeat-timeout", "a heartbeat older than this is dead (default: 5m)",
             [&options](const std::string& text) {
               options.text.beat = parse_duration(text, BareNumber::refused, "--heartbeat-timeout");
               options.text.beat_given = true;
             })
      ->type_name("DURATION");
  add_choice(
      app, "--safety", "safety", "how far repairs may go: read-only (default) or full", {"read-only", "full"},
      [&options](const std::string& text) { options.text.safety = text == "full" ? Safety::full : Safety::read_only; });
  add_choice(app, "--dead", "outcome", "what becomes of the tasks of dead workers: failed (default) or requeued",
             {"failed", "requeued"}, [&options](const std::string& text) {
               options.text.dead = text == "requeued" ? Outcome::requeued : Outcome::failed;
             });
}

int run_profile_init(Context& context, const TargetOptions& target, const OutputOptions& output,
                     const ProfileInitOptions& options) {
  if (!target.profile.empty()) {
    throw Error{ExitCode::usage, "--profile names a profile that there is, and init makes one",
                "Leave --profile out; --to says where the new one is written."};
  }
  const std::unique_ptr<Session> session = context.open_database(target);
  Init init{context, *session, options.answers};
  const ProfileGuess guess = init.run();
  ProfileTextOptions text_options = options.text;
  text_options.name = options.name.empty() ? profile_name_of(init.tasks().info.name.name) : options.name;
  const std::string text = profile_text(guess, init.tasks(), text_options);
  Streams& streams = context.streams();
  if (options.file == "-") {
    warn_of_problems(context, *session, text, "-");
    streams.out(text);
    return static_cast<int>(ExitCode::ok);
  }
  const std::string file = as_argument(options.file.empty() ? text_options.name + ".toml" : options.file);
  warn_of_problems(context, *session, text, file);
  write_profile(options, file, text);
  if (output.format == OutputFormat::json) {
    streams.line(dump_pretty(init_json(guess, file)));
    return static_cast<int>(ExitCode::ok);
  }
  print_guess(streams, guess);
  const std::string where = target.db.empty() ? "" : " --db " + shell_quoted(redact(target.db));
  streams.talk(fmt::format("written: {}\nsee what it says: taskctl profile check{} --profile {}", printable(file),
                           where, shell_quoted(file)));
  return static_cast<int>(ExitCode::ok);
}

}  // namespace taskctl
