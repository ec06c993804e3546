#include "engine/row_rules.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/text.hpp"
#include "engine/task_age.hpp"

namespace taskctl {

namespace {

constexpr std::size_t k_shown_width = 60;

bool names_row_of(const std::string& id, const RowRule& rule) {
  return id.size() > rule.table.size() && id.starts_with(rule.table) && id[rule.table.size()] == ':';
}

bool asks_for_tasks(const Selector& selector) {
  return !selector.workers.empty() || !selector.kinds.empty() || !selector.queues.empty() || !selector.users.empty() ||
         !selector.statuses.empty();
}

bool is_wanted(const RowRule& rule, const Selector& selector) {
  return !asks_for_tasks(selector) &&
         (selector.rules.empty() || std::ranges::find(selector.rules, rule.rule) != selector.rules.end());
}

/// Keys of the rows of this rule's table among the ids.
std::vector<TaskKey> keys_among(const std::vector<std::string>& ids, const RowRule& rule, const TableInfo& table) {
  std::vector<TaskKey> keys;
  const std::size_t parts = key_of(rule, table).size();
  for (const std::string& id : ids) {
    if (names_row_of(id, rule)) {
      keys.push_back(TaskKey::from_text(id.substr(rule.table.size() + 1), parts));
    }
  }
  return keys;
}

std::string shown(const Image& image, const std::string& column) {
  const Value* value = image.find(column);
  return value == nullptr ? "absent" : truncate_to_width(printable(to_display(*value)), k_shown_width);
}

std::vector<Evidence> evidence_of(const RowRule& rule, const RuleRow& row) {
  std::vector<Evidence> evidence;
  if (rule.derived && row.change) {
    for (const std::string& column : row.change->written) {
      evidence.push_back({column, column + " is " + shown(*row.change->before, column) + " and should be " +
                                      shown(*row.change->after, column)});
    }
  } else {
    evidence.push_back({rule.table, rule.message});
  }
  return evidence;
}

}  // namespace

std::vector<std::string> task_ids(const Profile& profile, const std::vector<std::string>& ids) {
  std::vector<std::string> tasks;
  std::ranges::copy_if(ids, std::back_inserter(tasks), [&](const std::string& id) {
    return std::ranges::none_of(profile.row_rules, [&](const RowRule& rule) { return names_row_of(id, rule); });
  });
  return tasks;
}

void list_rule_rows(TaskStore& store, const Selector& selector, const Policy& policy, Instant now,
                    const std::function<void(Finding&&)>& found) {
  const Profile& profile = store.profile();
  for (const RowRule& rule : profile.row_rules) {
    if (!is_wanted(rule, selector)) {
      continue;
    }
    RowRuleRequest request{.rule = rule, .now = now};
    if (!selector.ids.empty()) {
      request.keys = keys_among(selector.ids, rule, store.schema().tables.at(rule.table));
      if (request.keys->empty()) {
        continue;
      }
    }
    store.read_rule_rows(request, [&](RuleRow&& row) {
      const bool wrong = rule.derived ? !row.change->written.empty() : is_settled(rule, row, policy, now);
      if (!wrong) {
        return;
      }
      Finding finding = row_finding(rule, row, profile);
      if (selector.matches(finding)) {
        found(std::move(finding));
      }
    });
  }
}

bool is_settled(const RowRule& rule, const RuleRow& row, const Policy& policy, Instant now) {
  return rule.since.empty() || (row.since.known() && now - row.since.at > policy.settle);
}

Finding row_finding(const RowRule& rule, const RuleRow& row, const Profile& profile) {
  Finding finding;
  finding.task.key = row.key;
  finding.table = rule.table;
  finding.rule = rule.rule;
  finding.certainty = Certainty::certain;
  finding.evidence = evidence_of(rule, row);
  if (row.since.known()) {
    finding.since = row.since.at;
  }
  if (rule.op && profile.safety == Safety::full) {
    finding.outcome = rule.op->kind == OperationSpec::Kind::remove ? Outcome::removed : Outcome::corrected;
    finding.repair = Repair::yes;
  } else {
    finding.outcome = Outcome::unchanged;
    finding.repair = Repair::never;
    finding.note = rule.op ? "profile '" + profile.name + "' is " + std::string{to_string(profile.safety)}
                           : "the profile has no operation for it";
  }
  return finding;
}

std::string row_reason(const RowRule& rule, const std::string& given) {
  return given.empty() ? rule.message + " (" + std::string{to_string(rule.rule)} + ")" : given;
}

const RowRule& rule_of(const Profile& profile, const Finding& finding) {
  const RowRule* rule = profile.row_rule(finding.rule, finding.table.value_or(""));
  if (rule == nullptr) {
    throw Error{
        ExitCode::stale,
        "the profile has no '" + std::string{to_string(finding.rule)} + "' for '" + finding.table.value_or("") + "'",
        "Make the plan again."};
  }
  return *rule;
}

}  // namespace taskctl
