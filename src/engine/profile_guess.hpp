#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/guess_times.hpp"
#include "engine/guess_words.hpp"
#include "store/schema_survey.hpp"

namespace taskctl {

/// What a person said: by flag without dashes ("status" → state), every text in order. "none" means: there is none.
using Answers = std::map<std::string, std::vector<std::string>>;
inline constexpr std::string_view k_none = "none";

/// A column for a property.
struct Guess {
  std::string column;  ///< empty: none was found
  std::string why;
  std::vector<std::string> others;  ///< that would do too
};

/// What cannot be told from the database alone.
struct Doubt {
  std::string flag;      ///< that decides it
  std::string question;  ///< "which table holds the tasks"
  std::vector<std::string> choices;
  std::string usual;      ///< the best of them; empty: none is better
  bool optional = false;  ///< may stay open: asked only where somebody is there to answer
};

struct GuessedStatus {
  std::optional<std::string> text;  ///< nullopt: NULL
  std::int64_t rows = 0;
  std::optional<TaskClass> task_class;  ///< nullopt: nobody knows what it means
  std::string why;
};

/// Where no column holds a status: what the times say.
struct GuessedCondition {
  std::string when;
  TaskClass task_class = TaskClass::queued;
};

struct GuessedWorkers {
  std::string table, key, heartbeat, why;
  EncodingGuess encoding;
};

struct ProfileGuess {
  Engine engine = Engine::sqlite;
  std::string table;
  std::string table_why;
  std::vector<std::string> key;
  std::string key_why;
  std::map<std::string, Guess> columns;            ///< by flag of the property
  std::map<std::string, EncodingGuess> encodings;  ///< by column, of the times above whose encoding is known
  bool counts_first_seen = false;                  ///< no time that can be read says when a task began
  std::vector<std::string> unread;                 ///< flags of times whose encoding nobody knows
  std::vector<GuessedStatus> statuses;
  bool statuses_are_numbers = false;
  std::vector<GuessedCondition> conditions;
  std::optional<GuessedWorkers> workers;
  std::string zone = "UTC";
  std::string zone_why;
  Duration max_age{};
  std::string max_age_why;
  std::vector<Doubt> doubts;  ///< most important first

  [[nodiscard]] const Guess& of(const std::string& flag) const { return columns.at(flag); }
  [[nodiscard]] bool has(const std::string& flag) const;
  /// The column of a time that can be read; empty otherwise.
  [[nodiscard]] std::string time(const std::string& flag) const;
  /// The best status of this class; nullptr without one.
  [[nodiscard]] const GuessedStatus* status_of(TaskClass task_class) const;
};

/// Which of the tables holds tasks, by names and types alone.
struct TableGuess {
  std::size_t index = 0;
  std::string why;
  std::optional<Doubt> doubt;
};
/// Throws Error{mismatch} when none looks like it, Error{usage} when the named one is not there.
TableGuess guess_table(std::span<const TableSketch> tables, Engine engine, const Answers& answers);

/// Positions of tables that may be the workers' own, best first.
std::vector<std::size_t> worker_table_candidates(std::span<const TableSketch> tables, Engine engine,
                                                 const Answers& answers);

/// Everything about one table of tasks. Pure: no database. `now`: the database's clock.
/// Throws Error{usage} for an answer that names no column, Error{mismatch} when nothing names a row.
ProfileGuess guess_profile(const TableSketch& tasks, std::span<const TableSketch> workers, Engine engine, Instant now,
                           const Answers& answers);

}  // namespace taskctl
