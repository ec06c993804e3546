#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/profile_guess.hpp"

namespace taskctl {

/// Gives the columns of one table to the properties of a task. Private to the guessing.
class ColumnGuesser {
 public:
  ColumnGuesser(const TableSketch& table, Engine engine, const Answers& answers, Zone zone);

  void run();

  std::map<std::string, Guess> columns;
  std::map<std::string, EncodingGuess> encodings;
  std::vector<std::string> unread;
  std::vector<Doubt> doubts;

  /// A column that holds times, by its values or by its type and name; nullopt: it does not.
  [[nodiscard]] std::optional<EncodingGuess> as_time(const ColumnInfo& column) const;

 private:
  struct Candidate {
    const ColumnInfo* column = nullptr;
    int score = 0;
    std::string why;
  };
  void guess(const Property& property);
  void take_answer(const Property& property, const std::string& name);
  [[nodiscard]] std::vector<Candidate> candidates(const Property& property) const;
  [[nodiscard]] bool fits(const Property& property, const ColumnInfo& column) const;
  [[nodiscard]] Candidate judged(const Property& property, const ColumnInfo& column) const;
  [[nodiscard]] bool is_used(const std::string& column) const;
  void read_encodings();
  void borrow_encodings();

  const TableSketch& m_table;
  Engine m_engine;
  const Answers& m_answers;
  Zone m_zone;
};

/// The last thing that a person said; nullopt: nothing.
[[nodiscard]] std::optional<std::string> answer_of(const Answers& answers, const std::string& flag);

/// The column of that name. Throws Error{usage} with the nearest name.
const ColumnInfo& require_column(const TableSketch& table, const std::string& column, const std::string& flag);

/// Values that a CHECK constraint or an enum allows in a column; empty: nothing says.
[[nodiscard]] std::vector<std::string> allowed_values(const TableSketch& table, const std::string& column);

/// Different values of a column in the sample, as text.
[[nodiscard]] std::vector<std::string> distinct_values(const TableSketch& table, const std::string& column);

}  // namespace taskctl
