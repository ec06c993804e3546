#include "engine/profile_guess.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/duration.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "engine/guess_columns.hpp"
#include "sql/column_type.hpp"
#include "sql/dialect.hpp"
#include "store/row_values.hpp"

namespace taskctl {

namespace {

using std::chrono::hours;
using std::chrono::seconds;

/// Clocks of two machines differ; a zone differs by more.
constexpr Duration k_clock_tolerance = seconds{90};

std::string rows_text(std::int64_t rows) {
  return fmt::format("{} {}", rows, rows == 1 ? "row" : "rows");
}

class Guesser {
 public:
  Guesser(const TableSketch& tasks, std::span<const TableSketch> workers, Engine engine, Instant now,
          const Answers& answers)
      : m_tasks{tasks},
        m_workers{workers},
        m_now{now},
        m_answers{answers},
        m_zone{Zone::find(answer_of(answers, "zone").value_or("UTC"))},
        m_columns{tasks, engine, answers, m_zone} {
    m_guess.engine = engine;
    m_guess.table = tasks.name;
  }

  ProfileGuess run() {
    guess_key();
    m_columns.run();
    m_guess.columns = m_columns.columns;
    m_guess.encodings = m_columns.encodings;
    m_guess.unread = m_columns.unread;
    m_guess.doubts = m_columns.doubts;
    leave_status_out_of_key();
    if (m_guess.of("status").column.empty()) {
      guess_conditions();
    } else {
      guess_statuses();
    }
    require_start();
    guess_workers();
    guess_zone();
    guess_age();
    return std::move(m_guess);
  }

 private:
  void guess_key() {
    if (const auto given = m_answers.find("key"); given != m_answers.end()) {
      for (const std::string& column : given->second) {
        m_guess.key.push_back(require_column(m_tasks, column, "key").name);
      }
      m_guess.key_why = "as --key says";
      return;
    }
    m_guess.key = m_tasks.info.row_key();
    m_guess.key_why = m_tasks.info.primary_key.empty() ? "a unique index without NULL" : "the primary key";
    if (m_guess.key.empty()) {
      throw Error{ExitCode::mismatch,
                  fmt::format("nothing names one row of '{}': it has neither a primary key nor a unique index without "
                              "NULL",
                              printable(m_tasks.name)),
                  "Give the table one; without it no repair can be sure which row it writes."};
    }
  }

  /// A table that is cut into partitions by status has it in its primary key, and every repair changes it.
  void leave_status_out_of_key() {
    const auto status = std::ranges::find(m_guess.key, m_guess.of("status").column);
    if (m_tasks.info.is_partitioned && !m_answers.contains("key") && m_guess.key.size() > 1 &&
        status != m_guess.key.end()) {
      m_guess.key.erase(status);
      m_guess.key_why += ", without the status";
    }
  }

  /// The class a person named for a value.
  [[nodiscard]] std::optional<TaskClass> told_class(const std::string& value) const {
    for (const TaskClass task_class : k_task_classes) {
      const auto given = m_answers.find(std::string{to_string(task_class)});
      if (given != m_answers.end() && std::ranges::find(given->second, value) != given->second.end()) {
        return task_class;
      }
    }
    return std::nullopt;
  }

  [[nodiscard]] bool told_to_leave(const std::string& value) const {
    const auto given = m_answers.find("unmapped");
    return given != m_answers.end() && std::ranges::find(given->second, value) != given->second.end();
  }

  void add_status(std::optional<std::string> value, std::int64_t rows) {
    const auto same = [&](const GuessedStatus& status) { return status.text == value; };
    if (std::ranges::any_of(m_guess.statuses, same)) {
      return;
    }
    GuessedStatus status{.text = value, .rows = rows, .task_class = {}, .why = rows_text(rows)};
    if (value) {
      status.task_class = told_class(*value);
      const bool told = status.task_class.has_value();
      const bool left = told_to_leave(*value);
      if (!told && !left) {
        status.task_class = class_of_word(*value);
      }
      status.why += told ? ", as you say" : status.task_class ? ", by its name" : "";
    }
    m_guess.statuses.push_back(std::move(status));
  }

  void guess_statuses() {
    const std::string& column = m_guess.of("status").column;
    const std::size_t at = *m_tasks.position(column);
    if (at < m_tasks.frequency.size()) {
      for (const ValueCount& value : m_tasks.frequency[at]) {
        add_status(value.text, value.count);
      }
    }
    for (const std::string& value : allowed_values(m_tasks, column)) {
      add_status(value, 0);
    }
    for (const TaskClass task_class : k_task_classes) {
      if (const auto given = m_answers.find(std::string{to_string(task_class)}); given != m_answers.end()) {
        for (const std::string& value : given->second) {
          add_status(value, 0);
        }
      }
    }
    const ColumnInfo& info = *m_tasks.info.find(column);
    m_guess.statuses_are_numbers =
        info.labels.empty() && (m_guess.engine == Engine::postgres ? postgres_family(info.type) == TypeFamily::integer
                                                                   : affinity_of(info.type) == Affinity::integer);
    doubt_statuses();
  }

  void doubt_statuses() {
    std::vector<std::string> open;
    for (const GuessedStatus& status : m_guess.statuses) {
      if (status.text && !status.task_class && !told_to_leave(*status.text)) {
        open.push_back(*status.text);
      }
    }
    if (m_guess.status_of(TaskClass::active) == nullptr) {
      m_guess.doubts.push_back(
          {"active",
           fmt::format("which value of '{}' means that a task is being worked on", m_guess.of("status").column), open,
           open.size() == 1 ? open.front() : ""});
      return;
    }
    std::vector<std::string> classes;
    for (const TaskClass task_class : k_task_classes) {
      classes.emplace_back(to_string(task_class));
    }
    for (const std::string& value : open) {
      m_guess.doubts.push_back({"class:" + value, fmt::format("what status '{}' means", value), classes, "", true});
    }
  }

  // Without a status column -------------------------------------------------------------------------------------

  [[nodiscard]] std::string quoted(const std::string& column) const {
    return Dialect{m_guess.engine}.identifier(column);
  }

  void add_condition(const std::string& when, TaskClass task_class) {
    m_guess.conditions.push_back({when, task_class});
  }

  /// A time of its own for one way to end: failed_at, cancelled_at.
  void add_end_time(std::initializer_list<std::string_view> words, TaskClass task_class) {
    for (const ColumnInfo& column : m_tasks.info.columns) {
      const std::vector<std::string> parts = words_of(column.name);
      const bool named = std::ranges::any_of(
          words, [&](std::string_view word) { return std::ranges::find(parts, word) != parts.end(); });
      if (named && m_columns.as_time(column)) {
        add_condition(quoted(column.name) + " IS NOT NULL", task_class);
      }
    }
  }

  /// done, is_finished: 0 or 1.
  void add_end_flag() {
    for (const ColumnInfo& column : m_tasks.info.columns) {
      const std::vector<std::string> parts = words_of(column.name);
      const bool named = std::ranges::any_of(parts, [](const std::string& word) {
        return word == "done" || word == "finished" || word == "completed" || word == "processed";
      });
      const std::vector<std::string> values = distinct_values(m_tasks, column.name);
      const bool flag = !values.empty() && std::ranges::all_of(values, [](const std::string& value) {
        return value == "0" || value == "1";
      });
      if (named && column.type == "boolean" && m_guess.engine == Engine::postgres) {
        add_condition(quoted(column.name), TaskClass::succeeded);
      } else if (named && flag && m_guess.engine == Engine::sqlite) {
        add_condition(quoted(column.name) + " = 1", TaskClass::succeeded);
      }
    }
  }

  void guess_conditions() {
    add_end_time({"failed", "dead", "errored"}, TaskClass::failed);
    add_end_time({"cancelled", "canceled", "discarded", "aborted"}, TaskClass::cancelled);
    if (m_guess.has("finished")) {
      add_condition(quoted(m_guess.of("finished").column) + " IS NOT NULL", TaskClass::succeeded);
    }
    add_end_flag();
    std::string claim;
    for (const char* flag : {"started", "claimed", "worker"}) {
      claim = claim.empty() ? m_guess.of(flag).column : claim;
    }
    if (claim.empty()) {
      throw Error{ExitCode::mismatch,
                  fmt::format("nothing in '{}' tells a task that runs from one that waits", printable(m_tasks.name)),
                  "Name the column with --status, --started or --worker; another table with --table."};
    }
    add_condition(quoted(claim) + " IS NOT NULL", TaskClass::active);
    add_condition(quoted(claim) + " IS NULL", TaskClass::queued);
    if (answer_of(m_answers, "status") != k_none) {
      std::vector<std::string> choices{std::string{k_none}};
      std::ranges::transform(m_tasks.info.columns, std::back_inserter(choices), &ColumnInfo::name);
      m_guess.doubts.insert(
          m_guess.doubts.begin(),
          {"status",
           fmt::format("which column of '{}' is its status: nothing looks like one; with '{}' a task runs "
                       "when '{}' is set",
                       m_tasks.name, k_none, claim),
           choices, std::string{k_none}});
    }
  }

  // Times ---------------------------------------------------------------------------------------------------------

  void require_start() {
    for (const char* flag : {"started", "claimed", "heartbeat", "created"}) {
      if (!m_guess.time(flag).empty()) {
        return;
      }
    }
    for (const std::string& flag : m_guess.unread) {
      const std::string& column = m_guess.of(flag).column;
      m_guess.doubts.push_back({"encoding:" + column, fmt::format("how times are written in '{}'", column), {}, ""});
      return;
    }
    m_guess.counts_first_seen = true;
    if (answer_of(m_answers, "started") == k_none) {
      return;
    }
    // A column with times that nothing is known of may well be the start: that is for a person to say.
    std::vector<std::string> choices;
    for (const ColumnInfo& column : m_tasks.info.columns) {
      const std::optional<EncodingGuess> time = m_columns.as_time(column);
      if (time && time->known()) {
        choices.push_back(column.name);
      }
    }
    const bool none = choices.empty();
    choices.emplace_back(k_none);
    if (none) {
      std::ranges::transform(m_tasks.info.columns, std::back_inserter(choices), &ColumnInfo::name);
    }
    m_guess.doubts.push_back({"started",
                              fmt::format("which column of '{}' says when a task began; with '{}' its age counts from "
                                          "when taskctl first saw it",
                                          m_tasks.name, k_none),
                              choices, none ? std::string{k_none} : std::string{}, none});
  }

  /// A time column of a table of workers that holds their heartbeats; nullptr: there is none.
  [[nodiscard]] const ColumnInfo* beat_of(const TableSketch& table, const ColumnGuesser& columns) const {
    if (const auto told = answer_of(m_answers, "worker-heartbeat")) {
      const ColumnInfo& column = require_column(table, *told, "worker-heartbeat");
      const auto time = columns.as_time(column);
      return time && time->known() ? &column : nullptr;
    }
    const ColumnInfo* best = nullptr;
    int best_score = 0;
    for (const ColumnInfo& column : table.info.columns) {
      const auto time = columns.as_time(column);
      const int score = name_score(worker_heartbeat(), column.name, table.info.name.name);
      if (score > best_score && time && time->known()) {
        best = &column;
        best_score = score;
      }
    }
    return best;
  }

  /// The column of a table in which the most of these names stand.
  void look_for_workers(const std::string& worker, const TableSketch& table, std::size_t& most) {
    const ColumnGuesser columns{table, m_guess.engine, m_answers, m_zone};
    const ColumnInfo* beat = beat_of(table, columns);
    const std::vector<std::string> names = distinct_values(m_tasks, worker);
    const auto told = answer_of(m_answers, "worker-key");
    if (told) {
      static_cast<void>(require_column(table, *told, "worker-key"));
    }
    for (const ColumnInfo& column : beat == nullptr ? std::vector<ColumnInfo>{} : table.info.columns) {
      if (told && column.name != *told) {
        continue;
      }
      const std::vector<std::string> keys = distinct_values(table, column.name);
      std::vector<std::string> both;
      std::ranges::set_intersection(names, keys, std::back_inserter(both));
      if (both.size() > most) {
        most = both.size();
        const std::string why =
            fmt::format("{} of the {} values of '{}' stand in it", both.size(), names.size(), worker);
        m_guess.workers = GuessedWorkers{table.name, column.name, beat->name, why, *columns.as_time(*beat)};
        Guess& guess = m_guess.columns["worker"];
        if (guess.column != worker) {
          std::ranges::replace(guess.others, worker, guess.column);
          guess.column = worker;
          guess.why = fmt::format("its values stand in '{}'", table.name);
        }
      }
    }
  }

  void guess_workers() {
    const Guess worker = m_guess.of("worker");
    if (worker.column.empty()) {
      return;
    }
    std::vector<std::string> candidates{worker.column};
    candidates.insert(candidates.end(), worker.others.begin(), worker.others.end());
    std::size_t most = 0;
    for (const TableSketch& table : m_workers) {
      for (const std::string& candidate : candidates) {
        look_for_workers(candidate, table, most);
      }
    }
  }

  /// A zone shows itself only when it is wrong: then something has happened in the future.
  void guess_zone() {
    std::optional<Instant> newest;
    bool zoneless = false;
    bool two_shapes = false;
    std::string where;
    for (const auto& [flag, guess] : m_guess.columns) {
      const auto found = m_guess.encodings.find(guess.column);
      if (found == m_guess.encodings.end() || !found->second.zoneless) {
        continue;
      }
      zoneless = true;
      two_shapes = two_shapes || found->second.two_shapes;
      if (flag != "lease" && found->second.newest && (!newest || *newest < *found->second.newest)) {
        newest = found->second.newest;
        where = guess.column;
      }
    }
    if (!zoneless) {
      return;
    }
    m_guess.zone = m_zone.name();
    if (answer_of(m_answers, "zone")) {
      m_guess.zone_why = "as --zone says";
      return;
    }
    m_guess.zone_why = two_shapes
                           ? "texts with a 'T' and with a blank stand side by side: two writers, perhaps two zones"
                           : "nothing in the values says so: check the ages";
    if (newest && *newest > m_now + k_clock_tolerance) {
      m_guess.doubts.push_back(
          {"zone", fmt::format("in which zone '{}' is written: read as UTC it lies in the future", where), {}, ""});
    } else if (newest && m_now - *newest < hours{1}) {
      m_guess.zone_why = fmt::format("read so, the newest '{}' is less than an hour old", where);
    }
  }

  /// What was ended by hand after days says nothing of how long tasks take.
  [[nodiscard]] bool ended_well(const Row& row) const {
    const auto at = m_tasks.position(m_guess.of("status").column);
    if (!at) {
      return true;
    }
    const std::optional<std::string> text = text_of(row[*at]);
    const auto status = std::ranges::find(m_guess.statuses, text, &GuessedStatus::text);
    return status != m_guess.statuses.end() && status->task_class == TaskClass::succeeded;
  }

  /// Longer than any task that ended took.
  void guess_age() {
    m_guess.max_age = hours{1};
    m_guess.max_age_why = "the usual; no task that ended took longer";
    const std::string start = m_guess.time("started");
    const std::string end = m_guess.time("finished");
    if (start.empty() || end.empty()) {
      m_guess.max_age_why = "the usual; how long tasks take is not in the data";
      return;
    }
    const std::size_t start_at = *m_tasks.position(start);
    const std::size_t end_at = *m_tasks.position(end);
    Duration longest{};
    for (const Row& row : m_tasks.rows) {
      if (!ended_well(row)) {
        continue;
      }
      const TimeFact began = decode_time(row[start_at], m_guess.encodings.at(start).encoding());
      const TimeFact ended = decode_time(row[end_at], m_guess.encodings.at(end).encoding());
      if (began.known() && ended.known()) {
        longest = std::max(longest, Duration{ended.at - began.at});
      }
    }
    if (longest > hours{1}) {
      m_guess.max_age = hours{2 * (std::chrono::duration_cast<hours>(longest).count() + 1)};
      m_guess.max_age_why = fmt::format("twice the longest that ended: {}", format_age(longest));
    }
  }

  const TableSketch& m_tasks;
  std::span<const TableSketch> m_workers;
  Instant m_now;
  const Answers& m_answers;
  Zone m_zone;
  ColumnGuesser m_columns;
  ProfileGuess m_guess;
};

}  // namespace

bool ProfileGuess::has(const std::string& flag) const {
  const auto found = columns.find(flag);
  return found != columns.end() && !found->second.column.empty();
}

std::string ProfileGuess::time(const std::string& flag) const {
  const std::string column = has(flag) ? of(flag).column : "";
  return encodings.contains(column) ? column : "";
}

const GuessedStatus* ProfileGuess::status_of(TaskClass task_class) const {
  const GuessedStatus* best = nullptr;
  for (const GuessedStatus& status : statuses) {
    if (status.task_class == task_class && status.text &&
        (best == nullptr || rank_of_word(*status.text) < rank_of_word(*best->text))) {
      best = &status;
    }
  }
  return best;
}

ProfileGuess guess_profile(const TableSketch& tasks, std::span<const TableSketch> workers, Engine engine, Instant now,
                           const Answers& answers) {
  return Guesser{tasks, workers, engine, now, answers}.run();
}

}  // namespace taskctl
