#include "engine/row_rules.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/text.hpp"
#include "engine/task_age.hpp"

namespace taskctl {

namespace {

constexpr std::size_t k_shown_width = 60;

bool names_row_of(const std::string& id, const std::string& table) {
  return id.size() > table.size() && id.starts_with(table) && id[table.size()] == ':';
}

bool names_bulk(const std::string& id, const Profile& profile) {
  return profile.enabled_rules.contains(Rule::bulk_finished) && names_row_of(id, profile.table);
}

bool asks_for_tasks(const Selector& selector) {
  return !selector.workers.empty() || !selector.kinds.empty() || !selector.queues.empty() || !selector.users.empty() ||
         !selector.statuses.empty();
}

bool is_wanted(Rule rule, const Selector& selector) {
  return !asks_for_tasks(selector) &&
         (selector.rules.empty() || std::ranges::find(selector.rules, rule) != selector.rules.end());
}

/// Keys of the rows of this rule's table among the ids.
std::vector<TaskKey> keys_among(const std::vector<std::string>& ids, const RowRule& rule, const TableInfo& table) {
  std::vector<TaskKey> keys;
  const std::size_t parts = key_of(rule, table).size();
  for (const std::string& id : ids) {
    if (names_row_of(id, rule.table)) {
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
    return !names_bulk(id, profile) &&
           std::ranges::none_of(profile.row_rules, [&](const RowRule& rule) { return names_row_of(id, rule.table); });
  });
  return tasks;
}

void list_rule_rows(TaskStore& store, const Selector& selector, const Policy& policy, Instant now,
                    const std::function<void(Finding&&)>& found) {
  const Profile& profile = store.profile();
  for (const RowRule& rule : profile.row_rules) {
    if (!is_wanted(rule.rule, selector)) {
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

void list_bulk_finished(TaskStore& store, const Selector& selector, const std::function<void(Finding&&)>& found) {
  const Profile& profile = store.profile();
  const std::vector<std::string>& ids = selector.ids;
  const bool named = ids.empty() || std::ranges::any_of(ids, [&](const auto& id) { return names_bulk(id, profile); });
  if (!profile.enabled_rules.contains(Rule::bulk_finished) || !is_wanted(Rule::bulk_finished, selector) || !named) {
    return;
  }
  const std::string column = source_name(profile.times.finished, "finished");
  for (FinishedTogether& group : store.read_finished_together(std::nullopt)) {
    Finding finding{.table = profile.table, .rule = Rule::bulk_finished, .certainty = Certainty::certain};
    finding.task.key.parts = {std::move(group.text)};
    finding.outcome = Outcome::unchanged;
    finding.evidence.push_back({column, std::to_string(group.count) + " tasks have the same " + column});
    finding.note = "no value would be better than the one that is lost";
    if (group.at.known()) {
      finding.since = group.at.at;
    }
    const bool asked_for = ids.empty() || std::ranges::find(ids, id_of(finding)) != ids.end();
    if (asked_for && selector.matches(finding)) {
      found(std::move(finding));
    }
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
