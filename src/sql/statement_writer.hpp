#pragma once

#include <functional>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "profile/profile.hpp"
#include "sql/dialect.hpp"
#include "sql/schema.hpp"

namespace taskctl {

/// The task's own table in every statement.
constexpr std::string_view k_task_alias = "t";

/// Where the columns of the task's table stand in a statement: ALIAS."PREFIXcolumn".
struct TaskScope {
  std::string alias{k_task_alias};
  std::string prefix;
  std::string worker;  ///< what `:worker` stands for; empty: the profile's expression, over the columns above
  /// PostgreSQL: a list of statuses as one constant. A CHECK is parsed anew by every statement: fewer nodes are faster.
  bool one_constant = false;
};

/// One statement about tasks under construction: names checked against the schema, values as parameters. Private to the
/// renderer.
class StatementWriter {
 public:
  /// From an expression and its type in the catalogue ("" when unknown) to another expression.
  using Wrap = std::function<std::string(const std::string& expression, const std::string& type)>;

  StatementWriter(const Profile& profile, const Schema& schema, const Dialect& dialect, TaskScope scope = {})
      : m_profile{profile}, m_schema{schema}, m_dialect{dialect}, m_scope{std::move(scope)} {}

  /// Adds a parameter and returns how the statement names it.
  std::string bind(Value value, std::string_view type);
  [[nodiscard]] std::vector<Value> take_parameters() { return std::move(m_parameters); }

  /// Both throw Error{mismatch} for a name that the database does not have.
  [[nodiscard]] const TableInfo& table(const std::string& name_in_profile) const;
  [[nodiscard]] const ColumnInfo& column(const std::string& name_in_profile, const std::string& name) const;
  [[nodiscard]] const TableInfo& task_table() const { return table(m_profile.table); }

  /// A column of the task.
  [[nodiscard]] std::string task_column(const std::string& name) const;
  /// ALIAS."column" of any table.
  [[nodiscard]] std::string qualified(std::string_view alias, std::string_view name) const;

  [[nodiscard]] std::string attribute(const Attribute& attribute, const Wrap& wrap) const;
  [[nodiscard]] std::string raw(const Attribute& attribute) const;
  [[nodiscard]] std::string text(const Attribute& attribute) const;
  [[nodiscard]] std::string time(const Attribute& attribute) const;
  /// A fragment over the task's columns, in parentheses. `:worker` and `:task.COLUMN` are known, and what `extra`
  /// names; anything else is Error{usage} at the fragment's position.
  [[nodiscard]] std::string fragment(const Fragment& fragment) const;
  [[nodiscard]] std::string fragment(const Fragment& fragment,
                                     const std::function<std::string(const std::string&)>& extra) const;

  /// a = b for two expressions of these types; as texts when PostgreSQL has no operator for the pair.
  [[nodiscard]] std::string equal(const std::string& a, const std::string& type_a, const std::string& b,
                                  const std::string& type_b) const;
  /// Has the database an operator that compares these types?
  [[nodiscard]] bool comparable(const std::string& type_a, const std::string& type_b) const;
  /// `alias.joined = task column AND …` for a table named in the profile.
  [[nodiscard]] std::string match(const std::string& table_name, std::string_view alias, const Match& match) const;
  /// `worker` of the task equals this expression.
  [[nodiscard]] std::string is_worker(const std::string& expression, const std::string& type) const;

  /// How a key column is compared, and the type of the parameter it is compared with.
  [[nodiscard]] std::string key_expression(std::string_view alias, const ColumnInfo& column) const;
  [[nodiscard]] std::string key_parameter_type(const ColumnInfo& column) const;
  /// Every row of typed values that may stand for these keys, in the order of the key's columns; keys that the columns'
  /// types cannot hold are dropped.
  [[nodiscard]] std::vector<std::vector<Value>> key_rows(std::span<const TaskKey> keys) const;
  /// The task's key is one of these; a false condition when none is possible.
  std::string key_in(std::span<const TaskKey> keys);

  /// Conditions, to be joined by OR, that hold for rows of these classes. An earlier [[class]] entry may still say
  /// otherwise: the set may be too large, never too small.
  [[nodiscard]] std::vector<std::string> class_conditions(std::initializer_list<TaskClass> classes) const;
  /// Holds for rows of these classes and no others; entries count in their order.
  [[nodiscard]] std::string class_is(std::initializer_list<TaskClass> classes) const;
  /// CASE over the [[class]] entries in order: their position, or the code of the class.
  [[nodiscard]] std::string class_rule_case() const;
  [[nodiscard]] std::string class_code_case() const;

  [[nodiscard]] const Profile& profile() const { return m_profile; }
  [[nodiscard]] const Schema& schema() const { return m_schema; }
  [[nodiscard]] const Dialect& dialect() const { return m_dialect; }

 private:
  [[nodiscard]] std::string lookup(const Attribute& attribute, const Wrap& wrap) const;
  [[nodiscard]] std::string vocabulary(const ClassRule& rule, const std::function<bool(TaskClass)>& wanted) const;
  [[nodiscard]] std::string class_case(
      const std::function<std::size_t(std::size_t rule, TaskClass task_class)>& code) const;
  [[nodiscard]] std::string status_literal(const StatusValue& value, const ColumnInfo& column) const;

  const Profile& m_profile;
  const Schema& m_schema;
  const Dialect& m_dialect;
  TaskScope m_scope;
  std::vector<Value> m_parameters;
};

/// "(a OR b)"; a false condition when the list is empty.
[[nodiscard]] std::string any_of(const std::vector<std::string>& conditions);

}  // namespace taskctl
