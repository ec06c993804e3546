#include <set>

#include <fmt/format.h>

#include "base/error.hpp"
#include "store/change_builder.hpp"
#include "store/facts_decoder.hpp"
#include "store/row_values.hpp"
#include "store/task_store.hpp"

namespace taskctl {

namespace {

/// The operation with the table that it is about, and the table with the key that the profile gives it.
struct Target {
  OperationSpec operation;
  TableInfo table;
};

Target target_of(const RowRule& rule, const TableInfo& table) {
  Target target{.operation = *rule.op, .table = table};
  target.operation.table = rule.table;
  if (target.table.row_key().empty()) {
    target.table.primary_key = rule.key;
  }
  return target;
}

/// Turns rows of one statement into RuleRow.
class RuleRowDecoder {
 public:
  RuleRowDecoder(const Profile& profile, const RowRule& rule, const TableInfo& table, Engine engine,
                 const RowRuleStatement& statement)
      : m_statement{statement},
        m_columns{std::make_shared<const std::vector<std::string>>(statement.evaluation.image_columns)} {
    if (!rule.since.empty()) {
      m_since = &encoding_or_default(profile, rule.table, rule.since);
    }
    if (rule.op) {
      m_target = target_of(rule, table);
      m_builder.emplace(profile, m_target->table, engine, m_target->operation, statement.evaluation);
    }
  }
  RuleRowDecoder(const RuleRowDecoder&) = delete;
  RuleRowDecoder& operator=(const RuleRowDecoder&) = delete;

  [[nodiscard]] RuleRow decode(const Row& row) const {
    RuleRow result;
    const EvaluationStatement& evaluation = m_statement.evaluation;
    for (std::size_t i = 0; i < evaluation.task_key_count; ++i) {
      result.key.parts.push_back(text_of(row[i]).value_or(""));
    }
    const auto first = row.begin() + static_cast<std::ptrdiff_t>(evaluation.image);
    result.image = Image{m_columns, {first, first + static_cast<std::ptrdiff_t>(m_columns->size())}};
    if (m_since != nullptr) {
      result.since = decode_time(row[static_cast<std::size_t>(m_statement.since)], *m_since);
    }
    if (m_builder) {
      result.change = m_builder->build(row);
    }
    return result;
  }

 private:
  const RowRuleStatement& m_statement;
  std::shared_ptr<const std::vector<std::string>> m_columns;
  const ColumnEncoding* m_since = nullptr;
  std::optional<Target> m_target;
  std::optional<ChangeBuilder> m_builder;
};

/// What the database says of a fragment names no line of the profile.
[[noreturn]] void throw_with_place(const Error& error, const RowRule& rule) {
  const std::string place = rule.where.display();
  if (error.code() != ExitCode::mismatch || error.message().starts_with(place)) {
    throw;
  }
  throw Error{ExitCode::mismatch, fmt::format("{}: {}", place, error.message()),
              error.hint().empty() ? "The SQL of this entry does not fit the database." : error.hint()};
}

}  // namespace

void TaskStore::read_rule_rows(const RowRuleRequest& request, const std::function<void(RuleRow&&)>& sink) {
  const RowRuleStatement statement = render_row_rule(m_profile, m_schema, m_dialect, request);
  const TableInfo& table = m_schema.tables.at(request.rule.table);
  const RuleRowDecoder decoder{m_profile, request.rule, table, m_connection.engine(), statement};
  const RenderedStatement& rendered = statement.evaluation.statement;
  std::set<TaskKey> seen;
  const RowSink decode = [&](const Row& row) {
    RuleRow decoded = decoder.decode(row);
    if (request.rule.sums && !seen.insert(decoded.key).second) {
      throw Error{ExitCode::mismatch,
                  fmt::format("{}: several rows answer to '{}' of table '{}'", request.rule.where.display(),
                              decoded.key.text(), request.rule.table),
                  "Group 'sums' by the columns of 'match', and give a 'key' that no two rows share."};
    }
    sink(std::move(decoded));
  };
  try {
    if (!request.lock && m_connection.in_transaction()) {
      m_connection.stream(rendered.sql, rendered.parameters, decode);
    } else {
      m_connection.run(rendered.sql, rendered.parameters, decode);
    }
  } catch (const Error& error) {
    throw_with_place(error, request.rule);
  }
}

}  // namespace taskctl
