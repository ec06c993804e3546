#include "engine/guess_columns.hpp"

#include <algorithm>
#include <cctype>
#include <set>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "sql/column_type.hpp"
#include "store/row_values.hpp"

namespace taskctl {

namespace {

/// A vocabulary has few words.
constexpr std::size_t k_most_statuses = 30;

bool is_word_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

/// One CHECK in its parentheses: the words in it, and its literals.
struct CheckText {
  std::set<std::string> words;
  std::vector<std::string> literals;
};

/// From `text[at]`, an opening parenthesis, to the one that closes it.
CheckText read_check(std::string_view text, std::size_t& at) {
  CheckText check;
  int depth = 0;
  std::string word;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (is_word_character(c)) {
      word += c;
      continue;
    }
    const bool number = !word.empty() && std::isdigit(static_cast<unsigned char>(word.front())) != 0;
    if (number) {
      check.literals.push_back(word);
    } else if (!word.empty()) {
      check.words.insert(word);
    }
    word.clear();
    if (c == '\'') {
      std::string literal;
      for (++at; at < text.size(); ++at) {
        if (text[at] == '\'' && (at + 1 >= text.size() || text[at + 1] != '\'')) {
          break;
        }
        at += text[at] == '\'' ? 1U : 0U;
        literal += text[at];
      }
      check.literals.push_back(std::move(literal));
    }
    depth += c == '(' ? 1 : c == ')' ? -1 : 0;
    if (depth == 0) {
      break;
    }
  }
  return check;
}

std::vector<CheckText> checks_in(const std::string& text) {
  std::string lower = text;
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  std::vector<CheckText> checks;
  for (std::size_t at = lower.find("check"); at != std::string::npos; at = lower.find("check", at)) {
    at += std::string_view{"check"}.size();
    const std::size_t open = lower.find_first_not_of(" \t\r\n", at);
    if (open != std::string::npos && lower[open] == '(') {
      at = open;
      checks.push_back(read_check(text, at));
    }
  }
  return checks;
}

bool is_text_type(const ColumnInfo& column, Engine engine) {
  if (!column.labels.empty() || engine == Engine::sqlite) {
    return true;
  }
  const TypeFamily family = postgres_family(column.type);
  return family == TypeFamily::text || family == TypeFamily::integer || family == TypeFamily::uuid;
}

bool is_number_type(const ColumnInfo& column, const std::vector<Value>& values, Engine engine) {
  if (engine == Engine::postgres) {
    return postgres_family(column.type) == TypeFamily::integer;
  }
  return std::ranges::all_of(values, [](const Value& value) { return std::holds_alternative<std::int64_t>(value); });
}

bool must_be_sure(std::string_view flag) {
  constexpr auto k_decisive = std::to_array<std::string_view>({"status", "started", "finished", "heartbeat", "lease"});
  return std::ranges::find(k_decisive, flag) != k_decisive.end();
}

}  // namespace

std::optional<std::string> answer_of(const Answers& answers, const std::string& flag) {
  const auto found = answers.find(flag);
  return found == answers.end() || found->second.empty() ? std::nullopt : std::optional{found->second.back()};
}

const ColumnInfo& require_column(const TableSketch& table, const std::string& column, const std::string& flag) {
  if (const ColumnInfo* found = table.info.find(column)) {
    return *found;
  }
  std::vector<std::string> names;
  std::ranges::transform(table.info.columns, std::back_inserter(names), &ColumnInfo::name);
  const std::string near = nearest(column, names);
  throw Error{ExitCode::usage,
              fmt::format("--{}: table '{}' has no column '{}'", flag, printable(table.name), printable(column)),
              near.empty() ? fmt::format("Its columns are: {}.", printable(join(names, ", ")))
                           : fmt::format("Did you mean '{}'?", printable(near))};
}

std::vector<std::string> allowed_values(const TableSketch& table, const std::string& column) {
  const ColumnInfo* info = table.info.find(column);
  if (info != nullptr && !info->labels.empty()) {
    return info->labels;
  }
  for (const std::string& text : table.checks) {
    for (CheckText& check : checks_in(text)) {
      const bool alone = std::ranges::none_of(table.info.columns, [&](const ColumnInfo& other) {
        return other.name != column && check.words.contains(other.name);
      });
      if (alone && check.words.contains(column) && check.literals.size() > 1) {
        return std::move(check.literals);
      }
    }
  }
  return {};
}

std::vector<std::string> distinct_values(const TableSketch& table, const std::string& column) {
  std::set<std::string> values;
  for (const Value& value : table.values(column)) {
    values.insert(text_of(value).value_or(""));
  }
  return {values.begin(), values.end()};
}

ColumnGuesser::ColumnGuesser(const TableSketch& table, Engine engine, const Answers& answers, Zone zone)
    : m_table{table}, m_engine{engine}, m_answers{answers}, m_zone{std::move(zone)} {}

void ColumnGuesser::run() {
  // What a person gave to one property is no candidate for another.
  for (const Property& property : known_properties()) {
    const std::string flag{property.flag};
    columns[flag];
    if (const auto name = answer_of(m_answers, flag)) {
      take_answer(property, *name);
    }
  }
  for (const Property& property : known_properties()) {
    if (!answer_of(m_answers, std::string{property.flag})) {
      guess(property);
    }
  }
  // Without a start the claim is the nearest to one.
  if (columns["started"].column.empty() && !columns["claimed"].column.empty() && !answer_of(m_answers, "started")) {
    std::swap(columns["started"], columns["claimed"]);
    columns["started"].why += "; nothing is nearer to a start";
  }
  read_encodings();
}

void ColumnGuesser::take_answer(const Property& property, const std::string& name) {
  const std::string flag{property.flag};
  if (name == k_none) {
    columns[flag].why = fmt::format("none, as --{} says", flag);
    return;
  }
  columns[flag] = {require_column(m_table, name, flag).name, fmt::format("as --{} says", flag), {}};
}

bool ColumnGuesser::is_used(const std::string& column) const {
  return std::ranges::any_of(columns, [&](const auto& entry) { return entry.second.column == column; });
}

std::optional<EncodingGuess> ColumnGuesser::as_time(const ColumnInfo& column) const {
  if (!may_hold_time(column, m_engine)) {
    return std::nullopt;
  }
  const std::vector<Value> values = m_table.values(column.name);
  EncodingGuess guess = guess_encoding(column, m_engine, values, m_zone);
  constexpr std::size_t k_readable_share = 10;  // at most a tenth may be something else
  if (guess.known()) {
    return guess.unread * k_readable_share <= guess.seen ? std::optional{guess} : std::nullopt;
  }
  if (!values.empty()) {
    return std::nullopt;
  }
  const std::vector<std::string> words = words_of(column.name);
  if (words.back() == "by") {
    return std::nullopt;  // locked_by: who, not when
  }
  const bool named = words.size() > 1 && std::ranges::any_of(words, [](const std::string& word) {
                       return word == "at" || word == "on" || word == "time" || word == "ts" || word == "date" ||
                              word == "until" || word == "ms";
                     });
  return named || !column.not_null ? std::optional{guess} : std::nullopt;
}

bool ColumnGuesser::fits(const Property& property, const ColumnInfo& column) const {
  const std::vector<Value> values = m_table.values(column.name);
  switch (property.kind) {
    case PropertyKind::time:
      return as_time(column).has_value();
    case PropertyKind::number:
      return is_number_type(column, values, m_engine);
    case PropertyKind::label:
      break;
  }
  if (property.flag == "error") {
    return !is_time_type(column, m_engine) && column.type != "boolean";
  }
  const std::optional<EncodingGuess> time = as_time(column);
  return is_text_type(column, m_engine) && !(time && time->known());
}

ColumnGuesser::Candidate ColumnGuesser::judged(const Property& property, const ColumnInfo& column) const {
  Candidate candidate{.column = &column,
                      .score = name_score(property, column.name, m_table.info.name.name),
                      .why = fmt::format("named so")};
  if (property.flag != "status") {
    return candidate;
  }
  std::vector<std::string> values = distinct_values(m_table, column.name);
  const std::vector<std::string> allowed = allowed_values(m_table, column.name);
  if (values.size() > k_most_statuses) {
    candidate.score = 0;
    return candidate;
  }
  values.insert(values.end(), allowed.begin(), allowed.end());
  const auto known =
      std::ranges::count_if(values, [](const std::string& value) { return class_of_word(value).has_value(); });
  constexpr int k_words = 250;
  if (known >= 2) {
    candidate.score += k_words;
    candidate.why =
        candidate.score > k_words ? "named so, and its values are words for it" : "its values are words of a status";
  }
  return candidate;
}

std::vector<ColumnGuesser::Candidate> ColumnGuesser::candidates(const Property& property) const {
  std::vector<Candidate> found;
  for (const ColumnInfo& column : m_table.info.columns) {
    if (is_used(column.name)) {
      continue;
    }
    Candidate candidate = judged(property, column);
    if (candidate.score > 0 && fits(property, column)) {
      found.push_back(std::move(candidate));
    }
  }
  std::ranges::stable_sort(found, [](const Candidate& a, const Candidate& b) { return a.score > b.score; });
  return found;
}

void ColumnGuesser::guess(const Property& property) {
  constexpr int k_as_good = 5;
  const std::vector<Candidate> found = candidates(property);
  const std::string flag{property.flag};
  Guess& guess = columns[flag];
  if (found.empty()) {
    guess.why = "no column looks like it";
    return;
  }
  guess.column = found.front().column->name;
  guess.why = found.front().why;
  std::vector<std::string> choices{guess.column};
  for (auto other = found.begin() + 1; other != found.end(); ++other) {
    guess.others.push_back(other->column->name);
    if (found.front().score - other->score <= k_as_good) {
      choices.push_back(other->column->name);
    }
  }
  if (choices.size() > 1 && must_be_sure(flag)) {
    doubts.push_back({flag, fmt::format("which column of '{}' is its {}", m_table.name, flag), choices, guess.column});
  }
}

void ColumnGuesser::read_encodings() {
  std::map<std::string, std::string> told;
  if (const auto given = m_answers.find("encoding"); given != m_answers.end()) {
    for (const std::string& text : given->second) {
      const std::size_t equals = text.find('=');
      if (equals == std::string::npos) {
        throw Error{ExitCode::usage, fmt::format("--encoding: '{}' is not COLUMN=FORMAT", printable(text))};
      }
      told[require_column(m_table, text.substr(0, equals), "encoding").name] = text.substr(equals + 1);
    }
  }
  for (const Property& property : known_properties()) {
    const std::string column = columns.at(std::string{property.flag}).column;
    if (property.kind != PropertyKind::time || column.empty()) {
      continue;
    }
    const ColumnInfo& info = *m_table.info.find(column);
    EncodingGuess guess = guess_encoding(info, m_engine, m_table.values(column), m_zone);
    if (const auto format = told.find(column); format != told.end()) {
      guess.read = {named_style(format->second, m_zone)};
      guess.zoneless = guess.read.front().zone.has_value();
      guess.why = "as --encoding says";
    }
    if (guess.known()) {
      encodings[column] = std::move(guess);
    }
  }
  borrow_encodings();
}

/// A column without a value is probably written like its neighbours of the same type.
void ColumnGuesser::borrow_encodings() {
  const auto kind_of = [this](const std::string& column) {
    const std::string& type = m_table.info.find(column)->type;
    return m_engine == Engine::sqlite ? std::to_string(static_cast<int>(affinity_of(type))) : type;
  };
  const std::map<std::string, EncodingGuess> known = encodings;
  for (const Property& property : known_properties()) {
    const std::string flag{property.flag};
    const std::string column = columns.at(flag).column;
    if (property.kind != PropertyKind::time || column.empty() || known.contains(column)) {
      continue;
    }
    const bool seen = !m_table.values(column).empty();
    const auto like = std::ranges::find_if(
        known, [&](const auto& entry) { return !seen && kind_of(entry.first) == kind_of(column); });
    if (like == known.end()) {
      unread.push_back(flag);
      continue;
    }
    EncodingGuess guess = like->second;
    guess.why = fmt::format("holds no value yet; written like '{}', it is assumed", like->first);
    guess.newest.reset();
    encodings[column] = std::move(guess);
  }
}

}  // namespace taskctl
