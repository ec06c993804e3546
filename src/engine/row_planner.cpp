#include "engine/row_planner.hpp"

#include <algorithm>
#include <utility>

#include "engine/row_identity.hpp"
#include "engine/row_rules.hpp"

namespace taskctl {

namespace {

/// As the database prints the value; empty for NULL, which ties no task to no row.
std::optional<std::string> tie_text(const Image& image, const std::string& column) {
  const Value* value = image.find(column);
  return value == nullptr || is_null(*value) ? std::nullopt : std::optional{to_display(*value)};
}

/// The change as it is when an earlier unit has made `planned` of the row.
void rebase(Change& change, const Image& planned, const RowRule& rule) {
  Image after = planned;
  for (const auto& [column, fragment] : rule.op->set) {
    after.set(column, *change.after->find(column));
  }
  change.before = planned;
  change.written.clear();
  for (std::size_t i = 0; i < after.values.size(); ++i) {
    if (after.values[i] != planned.values[i]) {
      change.written.push_back(after.columns->at(i));
    }
  }
  change.after = std::move(after);
}

void leave_out(Plan& plan, const Finding& finding, std::string detail) {
  plan.leave_out(
      {.task = id_of(finding), .why = LeftOut::Why::nothing_to_do, .detail = std::move(detail), .finding = finding});
}

}  // namespace

void append_row_units(Plan& plan, TaskStore& store, std::span<const Finding> findings) {
  std::map<const RowRule*, std::map<TaskKey, std::optional<Change>>> by_rule;
  for (const Finding& finding : findings) {
    by_rule[&rule_of(store.profile(), finding)].emplace(finding.task.key, std::nullopt);
  }
  for (auto& [rule, rows] : by_rule) {
    RowRuleRequest request{.rule = *rule, .reason = row_reason(*rule, plan.reason), .now = plan.now};
    request.keys.emplace();
    for (const auto& [key, change] : rows) {
      request.keys->push_back(key);
    }
    store.read_rule_rows(request, [&rows = rows](RuleRow&& row) { rows[row.key] = std::move(row.change); });
  }
  for (const Finding& finding : findings) {
    const RowRule& rule = rule_of(store.profile(), finding);
    std::optional<Change>& change = by_rule[&rule][finding.task.key];
    if (!change || (change->operation == Operation::update && change->written.empty())) {
      leave_out(plan, finding, "the row is already as the repair would make it");
      continue;
    }
    PlanUnit unit{.finding = finding, .task = id_of(finding), .reason = row_reason(rule, plan.reason)};
    unit.changes.push_back(std::move(*change));
    plan.append(unit);
  }
}

std::size_t derived_chunk(std::size_t tasks) {
  constexpr std::size_t k_smallest = 200, k_largest = 2000, k_chunks = 40;
  return std::clamp(tasks / k_chunks, k_smallest, k_largest);
}

bool has_derived_rows(const Profile& profile) {
  return std::ranges::any_of(profile.row_rules, [](const RowRule& rule) { return rule.derived; });
}

DerivedPlanner::DerivedPlanner(TaskStore& store, Plan& plan) : m_store{store}, m_plan{plan} {
  const Profile& profile = store.profile();
  if (profile.safety != Safety::full) {
    return;
  }
  for (const RowRule& rule : profile.row_rules) {
    if (rule.derived) {
      m_rules.push_back(&rule);
    }
  }
  m_overlay = task_overlay(profile);
}

void DerivedPlanner::want(const Finding& finding) {
  m_wanted[&rule_of(m_store.profile(), finding)].emplace(finding.task.key, finding);
}

void DerivedPlanner::follow() {
  if (m_rules.empty()) {
    return;
  }
  const std::size_t end = m_plan.size();
  for (; m_next < end; ++m_next) {
    const PlanUnit unit = m_plan.unit(m_next);
    note_changes(unit);
    touch(m_next, unit);
  }
  const std::map<const RowRule*, Touched> touched = std::exchange(m_touched, {});
  for (const auto& [rule, units] : touched) {
    follow(*rule, units);
  }
  m_next = m_plan.size();
}

void DerivedPlanner::finish() {
  for (const auto& [rule, findings] : std::exchange(m_wanted, {})) {
    RowRuleRequest request{
        .rule = *rule, .overlay = &m_overlay, .reason = row_reason(*rule, m_plan.reason), .now = m_plan.now};
    request.keys.emplace();
    for (const auto& [key, finding] : findings) {
      request.keys->push_back(key);
    }
    for (RuleRow& row : read(request)) {
      append(*rule, std::move(row), {});
    }
  }
}

void DerivedPlanner::note_changes(const PlanUnit& unit) {
  for (const Change& change : unit.changes) {
    const bool derived = std::ranges::any_of(
        m_rules, [&](const RowRule* rule) { return m_store.schema().tables.at(rule->table).name == change.table; });
    if (derived) {
      m_planned[row_identity(change.table, change.key)] = change.after;
    }
  }
}

/// The change of the unit's own task; nullptr when it stays as it is.
const Change* DerivedPlanner::task_change(const PlanUnit& unit) const {
  const TableName& table = m_store.schema().tables.at(m_store.profile().table).name;
  const auto found = std::ranges::find_if(
      unit.changes, [&](const Change& change) { return change.table == table && change.before.has_value(); });
  return found == unit.changes.end() ? nullptr : &*found;
}

void DerivedPlanner::touch(std::size_t index, const PlanUnit& unit) {
  const Change* change = task_change(unit);
  if (change != nullptr) {
    append_task(m_overlay, m_store.profile(), *change);
  }
  if (change == nullptr && (!unit.finding || unit.finding->table)) {
    return;
  }
  for (const RowRule* rule : m_rules) {
    for (const Image* image : {change != nullptr ? &*change->before : nullptr,
                               change != nullptr && change->after ? &*change->after : nullptr}) {
      if (const std::optional<Texts> texts = ties_of(*rule, unit, image)) {
        m_touched[rule][*texts].insert(index);
      }
    }
  }
}

/// nullopt: the task belongs to no row.
std::optional<DerivedPlanner::Texts> DerivedPlanner::ties_of(const RowRule& rule, const PlanUnit& unit,
                                                             const Image* task) const {
  const Attribute& worker = m_store.profile().worker;
  Texts texts;
  for (const RowRule::Tie& tie : rule.ties) {
    std::optional<std::string> text;
    const bool by_column = !tie.task.empty() || worker.kind == Attribute::Kind::column;
    if (by_column && task != nullptr) {
      text = tie_text(*task, tie.task.empty() ? worker.column : tie.task);
    } else if (tie.task.empty() && unit.finding) {
      text = unit.finding->task.worker;
    }
    if (!text) {
      return std::nullopt;
    }
    texts.push_back(std::move(*text));
  }
  return texts;
}

void DerivedPlanner::follow(const RowRule& rule, const Touched& touched) {
  RowRuleRequest request{
      .rule = rule, .overlay = &m_overlay, .reason = row_reason(rule, m_plan.reason), .now = m_plan.now};
  if (!rule.ties.empty()) {
    request.tied_column = rule.ties.front().column;
    std::set<std::string> texts;
    for (const auto& [key, units] : touched) {
      texts.insert(key.front());
    }
    request.tied_texts.assign(texts.begin(), texts.end());
  }
  for (RuleRow& row : read(request)) {
    Texts texts;
    for (const RowRule::Tie& tie : rule.ties) {
      texts.push_back(tie_text(row.image, tie.column).value_or(""));
    }
    if (const auto units = touched.find(texts); units != touched.end()) {
      append(rule, std::move(row), units->second);
    }
  }
}

std::vector<RuleRow> DerivedPlanner::read(const RowRuleRequest& request) {
  std::vector<RuleRow> rows;
  m_store.read_rule_rows(request, [&rows](RuleRow&& row) { rows.push_back(std::move(row)); });
  return rows;
}

void DerivedPlanner::append(const RowRule& rule, RuleRow&& row, const std::set<std::size_t>& depends_on) {
  Change& change = *row.change;
  const std::string identity = row_identity(change.table, change.key);
  if (const auto planned = m_planned.find(identity); planned != m_planned.end()) {
    if (!planned->second) {
      return;  // the plan deletes the row
    }
    rebase(change, *planned->second, rule);
  }
  const auto wanted = m_wanted.find(&rule);
  const bool was_wrong = wanted != m_wanted.end() && wanted->second.erase(row.key) > 0;
  Finding finding = row_finding(rule, row, m_store.profile());
  if (change.written.empty()) {
    if (was_wrong || depends_on.empty()) {
      leave_out(m_plan, finding, "will be right once the plan's tasks are");
    }
    return;
  }
  PlanUnit unit{.finding = std::move(finding), .reason = row_reason(rule, m_plan.reason)};
  unit.task = id_of(*unit.finding);
  unit.depends_on.assign(depends_on.begin(), depends_on.end());
  m_planned[identity] = change.after;
  unit.changes.push_back(std::move(change));
  m_plan.append(unit);
}

}  // namespace taskctl
