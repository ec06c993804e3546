#include "profile/draft.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.hpp"

namespace taskctl {

namespace {

bool allows(FragmentUse use, const std::string& placeholder) {
  if (placeholder == "now" || placeholder == "now_text" || placeholder == "finished") {
    return use == FragmentUse::assignment;
  }
  if (placeholder == "first_result") {
    return use == FragmentUse::condition;
  }
  return placeholder != "reason" || use != FragmentUse::reading;
}

std::vector<std::pair<std::string, Outcome>> outcome_choices() {
  std::vector<std::pair<std::string, Outcome>> choices;
  for (const Outcome outcome : {Outcome::succeeded, Outcome::failed, Outcome::cancelled, Outcome::requeued,
                                Outcome::parked, Outcome::released, Outcome::unchanged, Outcome::undecided}) {
    choices.emplace_back(to_string(outcome), outcome);
  }
  return choices;
}

}  // namespace

std::string Draft::table(const Item& item) {
  const std::string& name = item.text("the name of a table");
  const std::size_t dot = name.find('.');
  const bool one_dot = dot != 0 && dot + 1 != name.size() && name.find('.', dot + 1) == std::string::npos;
  if (dot != std::string::npos && !one_dot) {
    item.fail(fmt::format("'{}' is not the name of a table", printable(name)), "\"name\" or \"schema.name\"");
  }
  tables.insert(name);
  return name;
}

std::string Draft::column(const Item& item, const std::string& of_table) {
  const std::string& name = item.text("the name of a column");
  use_column(of_table, name, item.where());
  return name;
}

std::string Draft::time_column(const Item& item, const std::string& of_table) {
  std::string name = column(item, of_table);
  times.push_back({{of_table, name, item.where()}, "a time"});
  return name;
}

Match Draft::match(const Item& item, const std::string& joined_table) {
  constexpr std::string_view k_expected = "pairs such as { task_id = \"id\" }: its column = the task's column";
  Match result;
  for (const auto& [joined, task_column] : item.table(k_expected).entries()) {
    const std::string own = column(task_column, profile.table);
    use_column(joined_table, joined, task_column.where());
    result.emplace_back(joined, own);
  }
  if (result.empty()) {
    item.fail("is empty", k_expected);
  }
  return result;
}

Fragment Draft::parse_fragment(const Item& item, std::string_view expected) {
  return profile.fragments.emplace_back(Fragment::parse(item.any_text(expected), item.where()));
}

Fragment Draft::fragment(const Item& item, FragmentUse use, const std::string& set_table,
                         const std::string& set_column) {
  Fragment result = parse_fragment(item, "one SQL expression in a text");
  constexpr std::string_view k_task = "task.";
  for (const Fragment::Piece& piece : result.pieces()) {
    if (!piece.placeholder) {
      continue;
    }
    if (piece.text.starts_with(k_task)) {
      use_column(profile.table, piece.text.substr(k_task.size()), item.where());
      continue;
    }
    if (piece.text == k_tasks_relation) {
      item.fail("'{tasks}' has no meaning here", "SQL over one task", "It is known in 'set' of [[derived]].");
    }
    if (!allows(use, piece.text)) {
      item.fail(
          fmt::format("':{}' has no meaning here", piece.text),
          use == FragmentUse::condition ? ":task.COLUMN, :worker or :reason" : ":task.COLUMN or :worker",
          "':now' and ':finished' are known in 'set' of an operation, ':first_result' in 'when', ':reason' in both.");
    }
    if (piece.text == "now" || piece.text == "finished") {
      times.push_back({{set_table, set_column, item.where()}, fmt::format("':{}'", piece.text)});
    } else if (piece.text == "worker") {
      worker_uses.emplace_back(item.where(), "':worker'");
    }
  }
  return result;
}

Outcome Draft::chosen_outcome(const Item& item) {
  const auto outcome = item.choice(outcome_choices());
  chosen.push_back({outcome, item.where()});
  return outcome;
}

void Draft::use_column(const std::string& of_table, const std::string& name, const SourcePosition& where) {
  if (name.empty() || name.find('\0') != std::string::npos) {
    fail_at(where, "names a column without a name, expected the name of a column");
  }
  if (m_seen.emplace(of_table, name).second) {
    profile.columns.push_back({of_table, name, where});
  }
}

}  // namespace taskctl
