#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/finding.hpp"
#include "model/value.hpp"

namespace taskctl {

enum class Operation { update, insert, remove };
[[nodiscard]] std::string_view to_string(Operation operation);  ///< "update", "insert", "delete"
[[nodiscard]] std::optional<Operation> parse_operation(std::string_view text);

/// One intended row operation with the row as it was and as it will be.
struct Change {
  Operation operation = Operation::update;
  TableName table;
  RowKey key;                        ///< empty for an insert whose key the database generates
  std::optional<Image> before;       ///< all columns; absent for an insert
  std::optional<Image> after;        ///< update: all columns; insert: the columns given; absent for a delete
  std::vector<std::string> written;  ///< columns the statement sets; those whose value stays are left out
};

/// Changes that apply together or not at all: a task with its related rows, or one derived row.
struct PlanUnit {
  std::optional<Finding> finding;       ///< why; absent for derived rows and for an undo
  std::string task;                     ///< TaskKey::text(), or the table and key of a derived row
  std::string reason;                   ///< what :reason stood for
  std::vector<Change> changes;          ///< in the order in which they are written
  std::vector<std::size_t> depends_on;  ///< units (positions in the plan) that must have been applied in the same
                                        ///< batch; a derived row waits for the next run when one of them was not
};

/// What became of one unit.
enum class UnitResult {
  applied,
  moved_on,  ///< no longer wrong when its turn came: not written, no error
  conflict,  ///< still wrong, but a row differs from its before-image: not written
  busy,      ///< a row is locked by somebody else
  failed,    ///< the database refused it (constraint, trigger); `detail` says why
  waiting,   ///< a unit that it depends on was not applied
  refused,   ///< a hazard appeared since the plan was made
};
[[nodiscard]] std::string_view to_string(UnitResult result);

/// Columns that hold another value after the write than was planned (a trigger did that).
struct SideEffect {
  std::string table;
  std::string column;
  Value planned;
  Value actual;
};

struct UnitReport {
  std::string task;
  UnitResult result = UnitResult::applied;
  std::string detail;  ///< "status is 'success' instead of 'running'"; empty when applied
  std::vector<SideEffect> side_effects;
  std::optional<Finding> finding;
};

}  // namespace taskctl
