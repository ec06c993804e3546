#pragma once

#include <cstdint>
#include <optional>
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
    open,        ///< every task that the selector matches and that is not over
    selected,    ///< every row that the selector matches, whatever its state
    queued,      ///< every queued row that the selector matches; a few more where [[class]] entries overlap
    active,      ///< the same of active ones
  };
  Rows rows = Rows::candidates;
  Selector selector;  ///< all but by_key: ids, workers, kinds, queues, users, statuses
  std::vector<TaskKey> keys;
  bool all_queued = false;        ///< candidates: every queued task, not only those with a sign (rule `waiting` is on)
  bool by_results = false;        ///< candidates: then also those that only rows of results speak against
  bool with_image = false;        ///< all columns too
  bool lock = false;              ///< take row locks, skip locked rows
  bool brief = false;             ///< without what only a judgement needs: liveness, cancel requests, hazards
  bool with_fingerprint = false;  ///< Task::fingerprint too
  std::optional<std::size_t> limit;  ///< at most so many rows, any of them
};

/// Column order of a facts statement, so that the reader finds each value. Positions are from 0.
struct FactsLayout {
  std::size_t key = 0, key_count = 1;
  std::size_t status = 0, class_rule = 0, task_class = 0;
  // -1: the profile has no such source.
  int kind = -1, worker = -1, queue = -1, user = -1, error = -1, attempts_used = -1, attempts_limit = -1;
  int attempts_requeued = -1;
  int created = -1, started = -1, finished = -1, updated = -1, heartbeat = -1, lease = -1, claimed = -1;
  struct Live {
    int found = -1, heartbeat = -1, verdict = -1;
  };
  std::vector<Live> liveness;
  int request_present = -1, request_time = -1, request_reason = -1;
  std::vector<int> hazards;
  int image = -1;  ///< first of the table's columns
  std::vector<std::string> image_columns;
  /// What changes with every write of the row: its version where the database has one, else all of its columns.
  std::size_t version = 0, version_count = 0;
};

struct FactsStatement {
  RenderedStatement statement;
  FactsLayout layout;
};

/// Reads everything that decides about tasks. The class comes as the index of the [[class]] entry and a class code
/// (0-5, NULL when unmapped). Throws Error{mismatch} when the profile names a column that the schema lacks.
FactsStatement render_facts(const Profile& profile, const Schema& schema, const Dialect& dialect,
                            const FactsRequest& request);

/// The candidates that `request` finds by their results alone, and not by itself; for rules that are on.
FactsStatement render_facts_by_results(const Profile& profile, const Schema& schema, const Dialect& dialect,
                                       const FactsRequest& request);

/// The first rows, by the profile's order, of one [[evidence]] entry (not a cancel request) for each of the tasks: two
/// of a result, the tail of a log, the one value of a column. Ordered only when `rank` is NULL.
struct EvidenceStatement {
  RenderedStatement statement;
  std::size_t task_key_count = 1;            ///< first columns: the task's key as text
  std::size_t text = 0;                      ///< the end of the value
  std::size_t finished = 0;                  ///< as as_time(); NULL when the entry has none
  std::size_t rank = 0;                      ///< from 1; NULL: rows come in their order
  std::size_t row_key = 0;                   ///< then the row's key as text
  std::vector<std::string> row_key_columns;  ///< may be empty
};
EvidenceStatement render_evidence(const Profile& profile, const Schema& schema, const Dialect& dialect,
                                  const EvidenceSource& source, std::span<const TaskKey> keys);
/// How many of `all` keys one such statement is for, so that the table is read least.
std::size_t evidence_keys_per_statement(const Schema& schema, const Dialect& dialect, const EvidenceSource& source,
                                        std::size_t all);

/// The workers of a worker table, or one of them: name as text, heartbeat as as_time().
RenderedStatement render_workers(const LivenessSource& source, const Schema& schema, const Dialect& dialect,
                                 const std::optional<std::string>& name = {});

/// Finished times that at least `bulk_finished` tasks share (with `key`: only the one of that task), in order: the time
/// as as_time(), the value as text, how many tasks have it.
RenderedStatement render_finished_together(const Profile& profile, const Schema& schema, const Dialect& dialect,
                                           const std::optional<TaskKey>& key);

/// The answer of [version]: one row with one text.
RenderedStatement render_version(const Fragment& question, const Dialect& dialect);

/// One row when the table, as the profile names it, has any.
RenderedStatement render_any_row(const std::string& table, const Schema& schema, const Dialect& dialect);

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
  std::optional<Instant> finished;  ///< what `:finished` stands for; nullopt: as `:now`
};
EvaluationStatement render_evaluation(const Profile& profile, const Schema& schema, const Dialect& dialect,
                                      const OperationSpec& operation, std::span<const EvaluationInput> tasks,
                                      Instant now);

/// Rows of the task's table as a plan will leave them, for `{tasks}`.
struct TaskOverlay {
  std::vector<std::string> columns;  ///< that the plan may write
  /// A JSON array with one array per task: the key's columns, 1 when the row is deleted (else 0), then `columns`.
  /// One parameter, however many tasks there are. See append_task().
  std::string rows = "[]";
};

/// Rows that an [[invariant]] calls wrong, or rows of a [[derived]] table with what their columns should hold.
struct RowRuleRequest {
  const RowRule& rule;
  std::optional<std::vector<TaskKey>> keys;  ///< only these rows
  std::string tied_column;                   ///< derived: only rows with one of …
  std::vector<std::string> tied_texts;       ///< … these in that column; counts only with a column
  const TaskOverlay* overlay = nullptr;      ///< nullptr: `{tasks}` are the tasks as they are
  bool lock = false;                         ///< take row locks, skip locked rows
  std::string reason;                        ///< what `:reason` stands for
  Instant now{};                             ///< what `:now` stands for
};
struct RowRuleStatement {
  EvaluationStatement evaluation;  ///< the row's key in place of the task's
  int since = -1;                  ///< position of the time; -1: the rule names none
};
RowRuleStatement render_row_rule(const Profile& profile, const Schema& schema, const Dialect& dialect,
                                 const RowRuleRequest& request);

/// Columns that name one row of the rule's table. Throws Error{mismatch} when there are none.
[[nodiscard]] std::vector<std::string> key_of(const RowRule& rule, const TableInfo& table);

/// All columns of rows by key, as images, optionally locked. Rows that do not exist (or are locked) are missing.
RenderedStatement render_read_rows(const TableInfo& table, const Dialect& dialect, std::span<const RowKey> keys,
                                   bool lock);

/// The write of one change (guarded by its key; the caller has compared the locked row with its before-image).
RenderedStatement render_write(const TableInfo& table, const Dialect& dialect, const Change& change);

/// The same for updates of one table that write the same columns of rows with the same key columns: one statement, with
/// as many parameters for one change as for many. PostgreSQL only.
RenderedStatement render_update_many(const TableInfo& table, const Dialect& dialect,
                                     std::span<const Change* const> changes);

/// Rows per native status: status as text, class code, count. Scans one index or the table.
RenderedStatement render_status_counts(const Profile& profile, const Schema& schema, const Dialect& dialect);

}  // namespace taskctl
