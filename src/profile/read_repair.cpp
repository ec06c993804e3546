#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "profile/draft.hpp"

namespace taskctl {

namespace {

/// Rules whose findings are only reported: an outcome for them would never be used.
bool is_repairable(Rule rule) {
  return rule != Rule::clock && rule != Rule::unreadable && rule != Rule::settling && rule != Rule::bulk_finished &&
         !is_row_rule(rule);
}

/// Rules about results that change what is over.
bool rests_on_results(Rule rule) {
  return rule == Rule::cancel_overwritten || rule == Rule::duplicate_result;
}

/// Rules that are about the row and not about how its task ended.
bool is_about_the_row(Rule rule) {
  return rule == Rule::attempts_over_limit || rule == Rule::started_after_finished || rule == Rule::bulk_finished;
}

/// Rules that a profile has to enable by name.
bool is_optional(Rule rule) {
  return rule == Rule::missing_finished_time || rests_on_results(rule) || is_about_the_row(rule);
}

/// Rules whose outcome never comes from a default.
bool has_no_default(Rule rule) {
  return rule == Rule::result_over || rests_on_results(rule) || is_about_the_row(rule);
}

bool is_result_table(const Profile& profile, const std::string& table) {
  return std::any_of(profile.evidence.begin(), profile.evidence.end(), [&](const EvidenceSource& source) {
    return source.kind == EvidenceSource::Kind::result && (table.empty() || source.table == table);
  });
}

std::vector<std::string> situation_names() {
  std::vector<std::string> names;
  for (const Rule rule : k_rules) {
    if (is_repairable(rule)) {
      names.emplace_back(to_string(rule));
    }
  }
  names.emplace_back("cancel");
  names.emplace_back("force-cancel");
  return names;
}

/// Keys of [defaults] and [reasons]: a rule, or one of the two commands.
void check_situation(const std::string& name, const Item& item) {
  const std::optional<Rule> rule = parse_rule(name);
  if (rule && !is_repairable(*rule)) {
    item.fail("is a rule whose findings are never repaired", "a rule that is repaired, 'cancel' or 'force-cancel'");
  }
  const std::vector<std::string> names = situation_names();
  if (std::find(names.begin(), names.end(), name) == names.end()) {
    item.fail_unknown(name, names);
  }
}

enum class Zero { allowed, refused };

std::optional<Duration> read_threshold(const Item& table, std::string_view key, Zero zero) {
  const Item* item = table.find(key);
  if (item == nullptr) {
    return std::nullopt;
  }
  const Duration duration = item->duration();
  if (zero == Zero::refused && duration <= Duration::zero()) {
    item->fail("is zero", "an age such as \"1h\"");
  }
  return duration;
}

// ---- operations ----

void check_own_row(const Item& item, const OperationSpec& operation, const Profile& profile) {
  if (operation.kind != OperationSpec::Kind::update) {
    return;
  }
  for (const auto& [column, value] : operation.set) {
    if (std::find(profile.key.begin(), profile.key.end(), column) != profile.key.end()) {
      item.find("set")->fail(fmt::format("sets '{}', which identifies the task", column), "other columns");
    }
  }
}

void read_set(const Item& item, Draft& draft, OperationSpec& operation) {
  constexpr std::string_view k_expected = "columns with SQL such as { status = \"'failed'\" }";
  const std::string& table = operation.table.empty() ? draft.profile.table : operation.table;
  const Item& set = item.at("set", k_expected);
  for (const auto& [column, value] : set.table(k_expected).entries()) {
    draft.use_column(table, column, value.where());
    operation.set.emplace_back(column, draft.fragment(value, FragmentUse::assignment, table, column));
  }
  if (operation.set.empty()) {
    set.fail("is empty", k_expected);
  }
}

/// `:first_result` asks whether a row of results is the one that counts.
void check_first_result(const Item& when, const OperationSpec& operation, const Profile& profile) {
  const auto& pieces = operation.when->pieces();
  const bool used = std::any_of(pieces.begin(), pieces.end(), [](const Fragment::Piece& piece) {
    return piece.placeholder && piece.text == "first_result";
  });
  const bool possible = operation.kind != OperationSpec::Kind::insert && !operation.table.empty() &&
                        is_result_table(profile, operation.table);
  if (used && !possible) {
    when.fail("':first_result' has no meaning here",
              "an update or delete of a table that an [[evidence]] entry with source = \"result\" reads");
  }
}

OperationSpec read_operation(const Item& item, Draft& draft) {
  using Kind = OperationSpec::Kind;
  OperationSpec operation;
  operation.where = item.where();
  operation.kind = item.at("do", "\"update\", \"insert\" or \"delete\"")
                       .choice<Kind>({{"update", Kind::update}, {"insert", Kind::insert}, {"delete", Kind::remove}});
  if (operation.kind == Kind::remove) {
    item.only({"do", "table", "match", "when"});
  } else {
    item.only({"do", "table", "match", "when", "set"});
  }
  if (operation.kind == Kind::insert || item.has("table")) {
    operation.table = draft.table(item.at("table", "the table that gets the row"));
  }
  if (operation.table.empty()) {
    if (const Item* match = item.find("match")) {
      match->fail("stands without 'table'", "the name of the table whose rows are matched");
    }
  } else if (operation.kind != Kind::insert || item.has("match")) {
    const Item& match = item.at("match", "the columns that tie rows of the table to the task");
    operation.match = draft.match(match, operation.table);
  }
  if (const Item* when = item.find("when")) {
    operation.when = draft.fragment(*when, FragmentUse::condition);
    check_first_result(*when, operation, draft.profile);
  }
  if (operation.kind != Kind::remove) {
    read_set(item, draft, operation);
  }
  if (operation.table.empty()) {
    check_own_row(item, operation, draft.profile);
  }
  return operation;
}

OperationList read_operation_list(const Item& item, Draft& draft) {
  item.table("tables, each under a header [[outcome.NAME.op]]").only({"op"});
  item.at("op", fmt::format("at least one [[{}.op]]", item.where().key));
  OperationList list;
  for (const Item& operation : item.tables("op")) {
    list.push_back(read_operation(operation, draft));
  }
  if (list.empty()) {
    item.find("op")->fail("is empty", "at least one operation");
  }
  return list;
}

void read_outcome(const std::string& name, const Item& item, Draft& draft) {
  const std::optional<Outcome> outcome = parse_outcome(name);
  if (!outcome || !is_choice(*outcome)) {
    item.fail_unknown(name, {"succeeded", "failed", "cancelled", "requeued", "parked", "released"});
  }
  draft.profile.outcomes[*outcome] = read_operation_list(item, draft);
  draft.outcome_places.emplace(*outcome, item.where());
}

void read_rule_operations(const std::string& name, const Item& item, Draft& draft) {
  const std::optional<Rule> rule = parse_rule(name);
  if (!rule || !is_repairable(*rule)) {
    std::vector<std::string> names = situation_names();
    names.resize(names.size() - 2);  // without the two commands
    item.fail_unknown(name, names);
  }
  if (is_optional(*rule) && !draft.profile.enabled_rules.contains(*rule)) {
    item.fail("has operations but the rule is not on", fmt::format("[rules] enable = [\"{}\"]", name));
  }
  draft.profile.rule_operations[*rule] = read_operation_list(item, draft);
  draft.rule_places.emplace(*rule, item.where());
}

std::vector<std::string> optional_rule_names() {
  std::vector<std::string> names;
  for (const Rule rule : k_rules) {
    if (is_optional(rule)) {
      names.emplace_back(to_string(rule));
    }
  }
  return names;
}

void check_enabled(Rule rule, const Item& enable, Draft& draft) {
  const Profile& profile = draft.profile;
  const bool needs_end =
      rule == Rule::missing_finished_time || rule == Rule::started_after_finished || rule == Rule::bulk_finished;
  if (needs_end && !profile.times.finished.given()) {
    enable.fail(fmt::format("'{}' needs a time that is not given", to_string(rule)), "'finished' in [task.time]");
  }
  if (rule == Rule::started_after_finished && !profile.times.started.given()) {
    enable.fail(fmt::format("'{}' needs a time that is not given", to_string(rule)), "'started' in [task.time]");
  }
  if (rule == Rule::attempts_over_limit && !(profile.attempts_used.given() && profile.attempts_limit.given())) {
    enable.fail(fmt::format("'{}' needs to know how often a task may be tried", to_string(rule)),
                "'attempts' with 'used' and 'limit' in [task]");
  }
  if (rests_on_results(rule) && !is_result_table(profile, {})) {
    enable.fail(fmt::format("'{}' needs to know where results stand", to_string(rule)),
                "an [[evidence]] entry with source = \"result\"");
  }
  if (rule == Rule::cancel_overwritten) {
    draft.chosen.push_back({Outcome::cancelled, enable.where()});
  }
}

bool needs_more_than_the_row(const Fragment& fragment) {
  return std::ranges::any_of(fragment.pieces(), [](const Fragment::Piece& piece) {
    return piece.placeholder && !piece.text.starts_with("task.") && piece.text != "worker";
  });
}

/// An attempt that the repair itself counts may be the last one: then it must not give the task back.
void read_attempts_of_requeueing(Profile& profile) {
  const auto requeued = profile.outcomes.find(Outcome::requeued);
  if (requeued == profile.outcomes.end() || profile.attempts_used.kind != Attribute::Kind::column) {
    return;
  }
  for (const OperationSpec& operation : requeued->second) {
    for (const auto& [column, value] : operation.set) {
      if (operation.table.empty() && column == profile.attempts_used.column && !needs_more_than_the_row(value)) {
        profile.attempts_requeued.kind = Attribute::Kind::sql;
        profile.attempts_requeued.sql = value;
        profile.attempts_requeued.where = value.where();
      }
    }
  }
}

}  // namespace

void read_rules(const Item& root, Draft& draft) {
  const Item* item = root.find("rules");
  if (item == nullptr) {
    return;
  }
  constexpr std::string_view k_expected = "names of rules such as [\"missing-finished-time\"]";
  item->table("a table [rules]").only({"enable"});
  const Item& enable = item->at("enable", k_expected);
  for (const std::string& name : enable.texts(k_expected)) {
    const std::optional<Rule> rule = parse_rule(name);
    if (rule == Rule::waiting) {
      enable.fail("'waiting' is turned on by its threshold", "'queued' in [thresholds]");
    }
    if (rule && !is_optional(*rule)) {
      enable.fail(fmt::format("'{}' is always on", name), "a rule that is off unless it is named");
    }
    if (!rule) {
      enable.fail_unknown(name, optional_rule_names());
    }
    check_enabled(*rule, enable, draft);
    draft.profile.enabled_rules.insert(*rule);
  }
}

void read_thresholds(const Item& root, Draft& draft) {
  const Item* item = root.find("thresholds");
  if (item == nullptr) {
    return;
  }
  item->table("a table [thresholds]")
      .only({"max_age", "reap", "settle", "cancel_grace", "young", "queued", "bulk_finished"});
  Policy& policy = draft.profile.policy;
  policy.max_age = read_threshold(*item, "max_age", Zero::refused).value_or(policy.max_age);
  policy.reap = read_threshold(*item, "reap", Zero::refused);
  policy.queued_max_age = read_threshold(*item, "queued", Zero::refused);
  policy.settle = read_threshold(*item, "settle", Zero::allowed).value_or(policy.settle);
  policy.cancel_grace = read_threshold(*item, "cancel_grace", Zero::allowed).value_or(policy.cancel_grace);
  policy.young = read_threshold(*item, "young", Zero::allowed).value_or(policy.young);
  if (const Item* bulk = item->find("bulk_finished")) {
    constexpr std::string_view k_expected = "a number of tasks, at least 2";
    draft.profile.bulk_finished = bulk->integer(k_expected);
    if (draft.profile.bulk_finished < 2) {
      bulk->fail(fmt::format("is {}", draft.profile.bulk_finished), k_expected);
    }
  }
}

void read_defaults(const Item& root, Draft& draft) {
  if (const Item* defaults = root.find("defaults")) {
    for (const auto& [name, item] : defaults->table("a table [defaults]").entries()) {
      check_situation(name, item);
      if (const std::optional<Rule> rule = parse_rule(name); rule && has_no_default(*rule)) {
        item.fail(is_about_the_row(*rule) ? "is a rule that says nothing of how a task ended"
                                          : "is a rule whose outcome is what the results say",
                  "a rule whose outcome has a default");
      }
      draft.profile.defaults[name] = draft.chosen_outcome(item);
    }
  }
  if (const Item* reasons = root.find("reasons")) {
    for (const auto& [name, item] : reasons->table("a table [reasons]").entries()) {
      check_situation(name, item);
      draft.profile.reasons[name] = item.text("the text of :reason");
    }
  }
}

void read_operations(const Item& root, Draft& draft) {
  if (const Item* outcomes = root.find("outcome")) {
    for (const auto& [name, item] : outcomes->table("tables [[outcome.NAME.op]]").entries()) {
      read_outcome(name, item, draft);
    }
  }
  if (const Item* rules = root.find("rule")) {
    for (const auto& [name, item] : rules->table("tables [[rule.CODE.op]]").entries()) {
      read_rule_operations(name, item, draft);
    }
  }
  read_attempts_of_requeueing(draft.profile);
}

}  // namespace taskctl
