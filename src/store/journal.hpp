#pragma once

#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "model/run.hpp"
#include "store/connection.hpp"

namespace taskctl {

struct Statements;

/// A run that is old enough to leave the journal.
struct PrunableRun {
  std::string id;
  std::int64_t changes = 0;
};

/// taskctl_runs and taskctl_changes in the target database (PostgreSQL: schema `taskctl`, revoked from PUBLIC).
class Journal {
 public:
  /// `schema_name`: PostgreSQL schema; ignored by SQLite.
  explicit Journal(Connection& connection, std::string schema_name = "taskctl");

  [[nodiscard]] const std::string& schema_name() const { return m_schema; }
  [[nodiscard]] bool exists();
  /// Creates what is missing, in a transaction of its own. Throws Error{access} whose hint is ddl() when the right is
  /// missing, Error{mismatch} when a newer taskctl made the tables.
  void create();
  /// The same within the caller's write transaction, for a run whose only trace in the journal is its own row.
  void create_here();
  /// Statements that an administrator can run instead, with GRANTs to the current role.
  [[nodiscard]] std::string ddl() const;
  /// The same without GRANTs, one statement each.
  [[nodiscard]] std::vector<std::string> definition() const;
  /// GRANTs that let a role read the journal, write it, take old runs out of it (which includes the ones before).
  /// PostgreSQL only.
  enum class Rights { read, write, prune };
  [[nodiscard]] std::vector<std::string> grants(const std::string& role, Rights rights) const;
  /// Identity of a SQLite journal, written once; empty before create().
  [[nodiscard]] std::string uuid();

  // Inside the caller's write transaction.
  void insert_run(const RunRecord& run);  ///< throws Error{stale} when the plan's nonce is already there
  void insert_changes(const std::string& run_id, std::span<const JournalEntry> entries);
  /// Number of the run's last change, 0 when it has none: a re-plan goes on counting.
  [[nodiscard]] std::int64_t last_sequence(const std::string& run_id);
  void update_run(const RunRecord& run);  ///< state, finished, counts

  // Reading. An absent journal is an empty one.
  [[nodiscard]] std::vector<RunRecord> runs(std::size_t limit);  ///< newest first
  [[nodiscard]] std::optional<RunRecord> find_run(
      const std::string& id);  ///< whole id, or a prefix that only one run has
  /// The run that wrote the first change of the plan with this nonce.
  [[nodiscard]] std::optional<RunRecord> run_of_plan(const std::string& nonce);
  /// Newest run that is not an undo and has changes.
  [[nodiscard]] std::optional<RunRecord> last_undoable();
  /// Ids of runs that undo `id`, oldest first.
  [[nodiscard]] std::vector<std::string> undone_by(const std::string& id);
  /// RunRecord::request of a run that is there.
  [[nodiscard]] std::string request(const std::string& run_id);
  /// Tasks (and rows, by their names) that the run has changed.
  [[nodiscard]] std::set<std::string> applied_tasks(const std::string& run_id);
  void read_changes(const std::string& run_id, const std::function<void(JournalEntry&&)>& sink,
                    bool newest_first = false);
  /// Everything that any run did to `task` (as printed: related and derived rows carry their task's name), oldest
  /// first.
  void read_task_changes(const std::string& task,
                         const std::function<void(const std::string& run_id, JournalEntry&&)>& sink);

  /// Runs that ended before `before` (a killed one: began), oldest first, and those whose pruning was cut short.
  [[nodiscard]] std::vector<PrunableRun> prunable(Instant before);
  /// Removes a run for good, in short transactions of its own: first it is marked, so that a half-removed run is never
  /// undone, then its changes go, `chunk` at a time, then its row. `go_on` is asked after each chunk; false: it was
  /// stopped, and the next pruning goes on. Throws Error{access} without the right to delete.
  bool prune(const std::string& run_id, std::size_t chunk, const std::function<bool()>& go_on);

 private:
  void insert_together(const std::string& run_id, std::span<const JournalEntry> entries);
  struct Parts {
    bool schema = false;  ///< always true in SQLite
    std::int64_t tables = 0;
  };
  [[nodiscard]] Parts parts();
  void create_parts(const Parts& found);
  void require_version();
  [[nodiscard]] std::string meta(const std::string& name);
  /// An embedded statement with the schema's name put in.
  [[nodiscard]] std::string statement(std::string_view Statements::*member) const;
  [[nodiscard]] std::vector<RunRecord> read_runs(std::string_view Statements::*member,
                                                 std::span<const Value> parameters);

  Connection& m_connection;
  std::string m_schema;
};

/// Images in the journal: JSON object column → value; SQLite blobs {"blob":"hex"}, non-UTF-8 text {"text":"hex"},
/// reals that are no finite JSON number {"real":"inf"}. decode(encode(x)) == x, bit for bit.
[[nodiscard]] std::string encode_image(const Image& image);
[[nodiscard]] Image decode_image(const std::string& json);

}  // namespace taskctl
