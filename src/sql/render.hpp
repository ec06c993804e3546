#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "model/change.hpp"
#include "model/selector.hpp"
#include "profile/profile.hpp"
#include "sql/dialect.hpp"
#include "sql/schema.hpp"

namespace taskctl {

/// A statement with its parameters in order.
struct RenderedStatement {
  std::string sql;
  std::vector<Value> parameters;
};

/// Which rows read_facts wants.
struct FactsRequest {
  enum class Rows {
    candidates,  ///< rows that some rule could call wrong: active, and queued, parked or terminal ones with a sign of
                 ///< it
    by_key,      ///< exactly `keys`, whatever their state
    selected,    ///< every row that the selector matches, whatever its state
  };
  Rows rows = Rows::candidates;
  Selector selector;  ///< candidates and selected: ids, workers, kinds, queues, users, statuses
  std::vector<TaskKey> keys;
  bool all_queued = false;  ///< candidates: every queued task, not only those with a sign (rule `waiting` is on)
  bool with_image = false;  ///< all columns too
  bool lock = false;        ///< take row locks, skip locked rows
};

/// Column order of a facts statement, so that the reader finds each value. Positions are from 0.
struct FactsLayout {
  std::size_t key = 0, key_count = 1;
  std::size_t status = 0, class_rule = 0, task_class = 0;
  // -1: the profile has no such source.
  int kind = -1, worker = -1, queue = -1, user = -1, error = -1, attempts_used = -1, attempts_limit = -1;
  int created = -1, started = -1, finished = -1, updated = -1, heartbeat = -1, lease = -1, claimed = -1;
  struct Live {
    int found = -1, heartbeat = -1, verdict = -1;
  };
  std::vector<Live> liveness;
  int request_present = -1, request_time = -1, request_reason = -1;
  std::vector<int> hazards;
  int image = -1;  ///< first of the table's columns
  std::vector<std::string> image_columns;
};

struct FactsStatement {
  RenderedStatement statement;
  FactsLayout layout;
};

/// Reads everything that decides about tasks. The class comes as the index of the [[class]] entry and a class code
/// (0-5, NULL when unmapped). Throws Error{mismatch} when the profile names a column that the schema lacks.
FactsStatement render_facts(const Profile& profile, const Schema& schema, const Dialect& dialect,
                            const FactsRequest& request);

/// For every worker table: heartbeat of each worker (for the suspect check). One column, time as as_time().
RenderedStatement render_worker_heartbeats(const LivenessSource& source, const Schema& schema, const Dialect& dialect);

/// What one operation would do to which rows: for each task in `keys` (with its reason), the rows of the operation's
/// table that belong to it, and the values of its `set` expressions.
struct EvaluationStatement {
  RenderedStatement statement;
  std::size_t task_key_count = 1;  ///< first columns: the task's key as text
  std::size_t image = 0;           ///< then all columns of the row as image (absent for an insert) …
  std::vector<std::string> image_columns;
  std::size_t values = 0;  ///< … then one image value per set expression
  std::vector<std::string> set_columns;
};
struct EvaluationInput {
  TaskKey key;
  std::string reason;
};
EvaluationStatement render_evaluation(const Profile& profile, const Schema& schema, const Dialect& dialect,
                                      const OperationSpec& operation, std::span<const EvaluationInput> tasks,
                                      Instant now);

/// All columns of rows by key, as images, optionally locked. Rows that do not exist (or are locked) are missing.
RenderedStatement render_read_rows(const TableInfo& table, const Dialect& dialect, std::span<const RowKey> keys,
                                   bool lock);

/// The write of one change (guarded by its key; the caller has compared the locked row with its before-image).
RenderedStatement render_write(const TableInfo& table, const Dialect& dialect, const Change& change);

/// Rows per native status: status as text, class code, count. Scans one index or the table.
RenderedStatement render_status_counts(const Profile& profile, const Schema& schema, const Dialect& dialect);

}  // namespace taskctl
