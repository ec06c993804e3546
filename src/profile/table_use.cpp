#include "profile/table_use.hpp"

#include <algorithm>

#include "profile/fragment_names.hpp"

namespace taskctl {

namespace {

void add_operation(std::map<std::string, TableUse>& uses, const std::string& table, const OperationSpec& operation) {
  TableUse& use = uses[table];
  std::set<std::string> columns;
  std::ranges::transform(operation.set, std::inserter(columns, columns.end()),
                         &std::pair<std::string, Fragment>::first);
  switch (operation.kind) {
    case OperationSpec::Kind::update:
      use.updated.merge(columns);
      break;
    case OperationSpec::Kind::insert:
      std::ranges::transform(operation.match, std::inserter(columns, columns.end()), &Match::value_type::first);
      (use.inserted ? *use.inserted : use.inserted.emplace()).merge(columns);
      break;
    case OperationSpec::Kind::remove:
      use.removed = true;
      break;
  }
}

void add_writes(std::map<std::string, TableUse>& uses, const Profile& profile) {
  const auto add = [&](const OperationList& operations) {
    for (const OperationSpec& operation : operations) {
      add_operation(uses, operation.table.empty() ? profile.table : operation.table, operation);
    }
  };
  std::ranges::for_each(profile.outcomes, [&](const auto& entry) { add(entry.second); });
  std::ranges::for_each(profile.rule_operations, [&](const auto& entry) { add(entry.second); });
  for (const RowRule& rule : profile.row_rules) {
    if (rule.op) {
      add_operation(uses, rule.table, *rule.op);
    }
  }
}

}  // namespace

std::map<std::string, TableUse> table_uses(const Profile& profile) {
  std::map<std::string, TableUse> uses;
  uses[profile.table].whole_rows = true;
  for (const ColumnUse& use : profile.columns) {
    uses[use.table].columns.insert(use.column);
  }
  for (const EvidenceSource& source : profile.evidence) {
    if (!source.table.empty()) {
      uses[source.table].row_keys = true;
    }
  }
  for (const RowRule& rule : profile.row_rules) {
    uses[rule.table].whole_rows = true;
  }
  add_writes(uses, profile);
  for (auto& [name, use] : uses) {
    use.whole_rows = use.whole_rows || use.written();
    if (profile.safety == Safety::read_only) {
      use.updated.clear();
      use.inserted.reset();
      use.removed = false;
    }
  }
  for (const Fragment& fragment : profile.fragments) {
    for (const std::string& name : names_in(fragment).relations) {
      uses[name].whole_rows = true;
    }
  }
  return uses;
}

}  // namespace taskctl
