#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "engine/guess_columns.hpp"
#include "engine/profile_guess.hpp"

namespace taskctl {

namespace {

struct Scored {
  std::size_t index = 0;
  int score = 0;
  std::vector<std::string> signs;
};

/// Names and types only: no row is read of tables that turn out to be something else.
Scored score_table(const TableSketch& table, std::size_t index, Engine engine) {
  Scored scored{.index = index, .score = table_name_score(table.info.name.name), .signs = {}};
  constexpr int k_sure = 600;
  for (const Property& property : known_properties()) {
    const ColumnInfo* best = nullptr;
    int best_score = 0;
    for (const ColumnInfo& column : table.info.columns) {
      const int score = name_score(property, column.name, table.info.name.name);
      if (score > best_score && (property.kind != PropertyKind::time || may_hold_time(column, engine))) {
        best = &column;
        best_score = score;
      }
    }
    if (best == nullptr) {
      continue;
    }
    const bool weak =
        property.flag == "kind" || property.flag == "created" || property.flag == "updated" || property.flag == "user";
    const int worth = property.flag == "status" ? 4 : weak ? 1 : 2;
    scored.score += best_score >= k_sure ? worth : worth / 2;
    if (!weak && best_score >= k_sure) {
      scored.signs.push_back(best->name);
    }
  }
  for (const ColumnInfo& column : table.info.columns) {
    const auto known =
        std::ranges::count_if(column.labels, [](const std::string& label) { return class_of_word(label).has_value(); });
    scored.score += known >= 2 ? 2 : 0;
  }
  return scored;
}

TableGuess named_table(std::span<const TableSketch> tables, const std::string& name) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < tables.size(); ++i) {
    if (tables[i].name == name || tables[i].info.name.display() == name) {
      return {.index = i, .why = "as --table says", .doubt = {}};
    }
    names.push_back(tables[i].name);
  }
  const std::string near = nearest(name, names);
  throw Error{ExitCode::usage, fmt::format("--table: there is no table '{}'", printable(name)),
              near.empty() ? fmt::format("There are: {}.", printable(join(names, ", ")))
                           : fmt::format("Did you mean '{}'?", printable(near))};
}

}  // namespace

TableGuess guess_table(std::span<const TableSketch> tables, Engine engine, const Answers& answers) {
  if (const auto name = answer_of(answers, "table")) {
    return named_table(tables, *name);
  }
  std::vector<Scored> scored;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < tables.size(); ++i) {
    scored.push_back(score_table(tables[i], i, engine));
    names.push_back(tables[i].name);
  }
  std::ranges::stable_sort(scored, [](const Scored& a, const Scored& b) { return a.score > b.score; });
  constexpr int k_enough = 6;
  if (scored.empty() || scored.front().score < k_enough) {
    throw Error{ExitCode::mismatch, "no table of this database looks like one of tasks",
                names.empty() ? "It has no tables that this role can see."
                              : fmt::format("Name it with --table; there are: {}.", printable(join(names, ", ")))};
  }
  TableGuess guess{.index = scored.front().index, .why = {}, .doubt = {}};
  guess.why = fmt::format("its columns are those of tasks: {}", join(scored.front().signs, ", "));
  std::vector<std::string> choices;
  for (const Scored& other : scored) {
    if (other.score >= k_enough && other.score >= scored.front().score - 1) {
      choices.push_back(tables[other.index].name);
    }
  }
  if (choices.size() > 1) {
    guess.doubt = Doubt{"table", "which table holds the tasks", choices, choices.front()};
  }
  return guess;
}

std::vector<std::size_t> worker_table_candidates(std::span<const TableSketch> tables, Engine engine,
                                                 const Answers& answers) {
  const auto wanted = answer_of(answers, "worker-table");
  if (wanted == k_none) {
    return {};
  }
  if (wanted) {
    return {named_table(tables, *wanted).index};
  }
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < tables.size(); ++i) {
    const bool beats = std::ranges::any_of(tables[i].info.columns, [&](const ColumnInfo& column) {
      return name_score(worker_heartbeat(), column.name, tables[i].info.name.name) > 0 && may_hold_time(column, engine);
    });
    if (beats && names_workers(tables[i].info.name.name)) {
      found.push_back(i);
    }
  }
  return found;
}

}  // namespace taskctl
