#include <algorithm>
#include <initializer_list>

#include <fmt/format.h>

#include "base/text.hpp"
#include "profile/draft.hpp"

namespace taskctl {

namespace {

std::vector<std::pair<std::string, Rule>> rule_choices() {
  std::vector<std::pair<std::string, Rule>> choices;
  for (const Rule rule : k_row_rules) {
    choices.emplace_back(to_string(rule), rule);
  }
  return choices;
}

/// SQL over a row: of the placeholders only those in `known`, none of which needs a task.
Fragment read_fragment(const Item& item, Draft& draft, std::initializer_list<std::string_view> known,
                       std::string_view expected) {
  Fragment fragment = draft.parse_fragment(item, expected);
  for (const Fragment::Piece& piece : fragment.pieces()) {
    if (piece.placeholder && std::find(known.begin(), known.end(), piece.text) == known.end()) {
      const bool relation = piece.text == k_tasks_relation;
      item.fail(fmt::format("'{}{}' has no meaning here", relation ? "" : ":", piece.text), expected,
                "The row is not a task: it is known as r, and other tables by EXISTS.");
    }
  }
  return fragment;
}

bool uses(const Fragment& fragment, std::string_view placeholder) {
  const auto& pieces = fragment.pieces();
  return std::any_of(pieces.begin(), pieces.end(),
                     [&](const Fragment::Piece& piece) { return piece.placeholder && piece.text == placeholder; });
}

/// Table, key and whatever else both kinds of entry have.
RowRule read_common(const Item& item, Draft& draft) {
  RowRule rule;
  rule.where = item.where();
  if (const Item* code = item.find("rule")) {
    rule.rule = code->choice(rule_choices());
  }
  rule.table = draft.table(item.at("table", "the table whose rows can be wrong"));
  if (const Item* key = item.find("key")) {
    rule.key = key->texts("the columns that name one row");
    for (const std::string& column : rule.key) {
      draft.use_column(rule.table, column, key->where());
    }
  }
  if (const Item* since = item.find("since")) {
    rule.since = draft.time_column(*since, rule.table);
  }
  if (draft.profile.row_rule(rule.rule, rule.table) != nullptr) {
    item.fail(fmt::format("is a second entry of '{}' for table '{}'", to_string(rule.rule), printable(rule.table)),
              "one entry for each rule and table");
  }
  return rule;
}

/// The columns that a repair sets. None of them may name the row.
void read_set(const Item& holder, Draft& draft, const RowRule& rule, std::initializer_list<std::string_view> known,
              OperationSpec& operation) {
  constexpr std::string_view k_expected = "columns with SQL over the row, such as { locked = \"false\" }";
  const Item& set = holder.at("set", k_expected);
  for (const auto& [column, value] : set.table(k_expected).entries()) {
    if (std::find(rule.key.begin(), rule.key.end(), column) != rule.key.end()) {
      set.fail(fmt::format("sets '{}', which names the row", column), "other columns");
    }
    draft.use_column(rule.table, column, value.where());
    Fragment fragment = read_fragment(value, draft, known, "SQL over the row");
    if (uses(fragment, "now")) {
      draft.times.push_back({{rule.table, column, value.where()}, "':now'"});
    }
    operation.set.emplace_back(column, std::move(fragment));
  }
  if (operation.set.empty()) {
    set.fail("is empty", k_expected);
  }
}

OperationSpec read_operation(const Item& item, Draft& draft, const RowRule& rule) {
  using Kind = OperationSpec::Kind;
  OperationSpec operation;
  operation.where = item.where();
  operation.kind =
      item.at("do", "\"update\" or \"delete\"").choice<Kind>({{"update", Kind::update}, {"delete", Kind::remove}});
  if (operation.kind == Kind::remove) {
    item.only({"do"});
    return operation;
  }
  item.only({"do", "set"});
  read_set(item, draft, rule, {"now", "now_text", "reason"}, operation);
  return operation;
}

RowRule read_invariant(const Item& item, Draft& draft) {
  item.only({"rule", "table", "key", "when", "message", "since", "op"});
  item.at("rule", "the code of the rule");
  RowRule rule = read_common(item, draft);
  if (rule.rule == Rule::accounts_wrong) {
    item.find("rule")->fail("is about values that are worked out", "a [[derived]] entry for this rule");
  }
  rule.when = read_fragment(item.at("when", "a condition over the row"), draft, {}, "a condition over the row");
  rule.message = item.at("message", "what is wrong with such a row").text("what is wrong with such a row");
  const std::vector<Item>& operations = item.tables("op");
  if (operations.size() > 1) {
    operations[1].fail("is a second operation", "one operation, which updates or deletes the row");
  }
  if (!operations.empty()) {
    rule.op = read_operation(operations.front(), draft, rule);
  }
  return rule;
}

std::vector<RowRule::Tie> read_ties(const Item& item, Draft& draft, const RowRule& rule) {
  constexpr std::string_view k_expected =
      "pairs such as { worker_id = \"worker\" }: its column = the task's worker, or a column of the task";
  std::vector<RowRule::Tie> ties;
  for (const auto& [column, of_task] : item.table(k_expected).entries()) {
    draft.use_column(rule.table, column, of_task.where());
    const bool worker = of_task.text(k_expected) == "worker" && draft.profile.worker.given();
    ties.push_back({column, worker ? std::string{} : draft.column(of_task, draft.profile.table)});
  }
  if (ties.empty()) {
    item.fail("is empty", k_expected);
  }
  return ties;
}

RowRule read_derived(const Item& item, Draft& draft) {
  item.only({"rule", "table", "key", "match", "message", "sums", "set"});
  RowRule rule = read_common(item, draft);
  rule.derived = true;
  if (rule.rule != Rule::accounts_wrong) {
    item.find("rule")->fail("is decided by a condition", "'accounts-wrong', or an [[invariant]] entry for this rule");
  }
  if (const Item* match = item.find("match")) {
    rule.ties = read_ties(*match, draft, rule);
  }
  if (const Item* sums = item.find("sums")) {
    constexpr std::string_view k_expected = "a SELECT over {tasks}, grouped by the columns of 'match'";
    if (rule.ties.empty()) {
      sums->fail("cannot be joined to the rows", "'match' with the columns that both have");
    }
    rule.sums = read_fragment(*sums, draft, {k_tasks_relation}, k_expected);
  }
  rule.message = "it is not what its tasks add up to";
  if (const Item* message = item.find("message")) {
    rule.message = message->text("what is wrong with such a row");
  }
  OperationSpec operation;
  operation.where = item.where();
  read_set(item, draft, rule, {k_tasks_relation, "now", "now_text", "reason"}, operation);
  rule.op = std::move(operation);
  return rule;
}

}  // namespace

void read_row_rules(const Item& root, Draft& draft) {
  for (const Item& item : root.tables("invariant")) {
    draft.profile.row_rules.push_back(read_invariant(item, draft));
  }
  for (const Item& item : root.tables("derived")) {
    draft.profile.row_rules.push_back(read_derived(item, draft));
  }
}

}  // namespace taskctl
