#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "model/finding.hpp"
#include "model/policy.hpp"
#include "profile/fragment.hpp"
#include "profile/source.hpp"
#include "profile/time_encoding.hpp"

namespace taskctl {

/// The name in start_fallback that stands for no column: see Profile::Times::counts_first_seen().
inline constexpr std::string_view k_first_seen = "first_seen";

enum class Engine { sqlite, postgres };
[[nodiscard]] std::string_view to_string(Engine engine);  ///< "sqlite", "postgres"

/// How far repair may go.
enum class Safety { read_only, release_only, full };
[[nodiscard]] std::string_view to_string(Safety safety);

/// `joined column = task column` pairs; the joined table is named beside them.
using Match = std::vector<std::pair<std::string, std::string>>;

/// Where a property of a task comes from.
struct Attribute {
  enum class Kind { none, column, lookup, sql };
  Kind kind = Kind::none;
  std::string column;                      ///< column: of the task's table
  std::string table;                       ///< lookup: one value from another table …
  Match match;                             ///<   … whose rows belong to the task by equality …
  std::string value;                       ///<   … this column …
  std::string order_by;                    ///<   … of the first row in this order (may be empty when unique)
  bool newest = true;                      ///<   true: the largest order_by comes first
  std::optional<Fragment> sql;             ///< sql: expression over the task's columns
  std::optional<ColumnEncoding> encoding;  ///< sql of a time: how its value is read
  SourcePosition where;
  [[nodiscard]] bool given() const { return kind != Kind::none; }
};

/// A native status value as SQL compares it.
struct StatusValue {
  std::string text;        ///< without quotes
  bool is_number = false;  ///< written as a TOML integer: compared as one
  TaskClass task_class = TaskClass::queued;
};

/// One [[class]] entry; the first that matches a row decides.
struct ClassRule {
  // Either a predicate …
  std::optional<Fragment> when;
  TaskClass task_class = TaskClass::queued;
  bool contradiction = false;      ///< a row that matches contradicts itself
  std::optional<Outcome> outcome;  ///< what a repair of such a contradiction makes of it
  // … or a column with its vocabulary.
  std::string column;
  std::vector<StatusValue> values;
  std::optional<TaskClass> null_is;  ///< class of NULL; not mapped without it
  SourcePosition where;
};

struct LivenessSource {
  enum class Kind { lease, heartbeat, table, sql };
  Kind kind = Kind::lease;
  std::string name;                 ///< for people: "agents", "lease"
  std::string table;                ///< table: workers …
  std::string key;                  ///<   … by this column, equal to the task's worker
  std::string heartbeat;            ///<   … with this time
  bool missing_is_dead = true;      ///<   … a worker without a row: dead, or unknown
  bool alive_before_end = true;     ///< lease: before its end alive; or it says nothing until it has ended
  Duration timeout{};               ///< heartbeat and table: older is dead; lease: grace after its end
  std::optional<Fragment> verdict;  ///< sql: 'alive', 'dead' or NULL
  SourcePosition where;
};

/// Where requests to cancel a running task stand: a table, or a column of the task.
struct CancelRequestSource {
  std::string table;  ///< empty: columns of the task
  Match match;
  std::string requested;  ///< time column
  std::string reason;     ///< may be empty
  SourcePosition where;
};

/// A text that stands for an outcome.
struct EvidencePattern {
  std::string text;  ///< literal or regular expression
  Outcome outcome = Outcome::undecided;
  bool is_reason = false;  ///< the text of the row that it fits becomes :reason
  friend bool operator==(const EvidencePattern&, const EvidencePattern&) = default;
};

/// How a task really ended. Entries are asked in order; the first that decides wins.
struct EvidenceSource {
  enum class Kind { result, log, column, cancel_request };
  Kind kind = Kind::result;
  std::string table;
  Match match;
  std::string value;  ///< result: status column; log: text column; column: the task's column
  std::string order_by;
  bool newest = true;  ///< log: newest first; result: the profile's choice
  bool regex = false;
  std::vector<EvidencePattern> patterns;  ///< in order
  std::size_t tail = 20;                  ///< log: so many rows are looked at
  std::string finished;                   ///< result: time column, may be empty
  SourcePosition where;
};

struct Hazard {
  std::string name;
  Fragment when;
  std::string message;
};

/// One row operation of an outcome. Without a table it updates the task's own row.
struct OperationSpec {
  enum class Kind { update, insert, remove };
  Kind kind = Kind::update;
  std::string table;             ///< empty: the task's table, the task's row
  Match match;                   ///< rows of `table` that belong to the task …
  std::optional<Fragment> when;  ///< … and for which this holds
  std::vector<std::pair<std::string, Fragment>> set;
  SourcePosition where;
};
using OperationList = std::vector<OperationSpec>;

/// [[invariant]]: rows of any table that are wrong when a condition holds. [[derived]]: rows whose columns are worked
/// out from the tasks, and which are wrong when they hold something else.
struct RowRule {
  Rule rule = Rule::accounts_wrong;
  bool derived = false;
  std::string table;
  std::vector<std::string> key;     ///< empty: the primary key
  std::optional<Fragment> when;     ///< invariant: over the row, alias r
  std::string message;              ///< what is wrong, for people
  std::string since;                ///< time column from which the finding counts; may be empty
  std::optional<OperationSpec> op;  ///< of the row itself; none: reported only
  struct Tie {
    std::string column;  ///< of the row, equals …
    std::string task;    ///< … this column of the task; empty: its worker
  };
  std::vector<Tie> ties;  ///< derived: which tasks the row is worked out from; empty: all
  /// Derived: a SELECT over the tasks that is run once for all rows, alias s. It has the columns of `ties`, by which
  /// its rows belong to those of the table, at most one to each.
  std::optional<Fragment> sums;
  SourcePosition where;
};

/// [version]: which shapes of the schema the profile was made for. One that it does not know is read, not written.
struct VersionSpec {
  std::string table;                 ///< without this table nobody is asked; empty: `sql` is always asked
  std::optional<Fragment> sql;       ///< gives the version as the database tells it …
  std::vector<std::string> known;    ///< … which is one of these
  std::vector<std::string> columns;  ///< every column that the task's table can have; empty: not looked at
  SourcePosition where;
};

/// How one queue system's schema is read and repaired. A value; made by parse_profiles().
struct Profile {
  std::string name;
  std::string variant;  ///< name of the [[variant]] that this is; empty without variants
  std::string summary;
  std::string file;  ///< "built-in" or the path
  std::string hash;  ///< SHA-256 of the text
  std::set<Engine> engines;
  Safety safety = Safety::full;
  std::set<std::string> triggers;  ///< on any of its tables: the profile knows what they do
  std::string safety_reason;       ///< why not further, for people; may be empty
  std::optional<VersionSpec> version;

  std::string table;  ///< "name" or "schema.name"
  std::vector<std::string> key;
  Attribute status, kind, worker, queue, user, error, attempts_used, attempts_limit;
  /// What requeueing sets `attempts_used` to, where it sets it and the row alone tells.
  Attribute attempts_requeued;
  bool always_assigned = false;  ///< an active task without a worker is an orphan

  struct Times {
    Attribute created, started, finished, updated, heartbeat, lease, claimed;
    std::vector<std::string> start_fallback = {"heartbeat", "claimed", "created"};  ///< names of times
    /// The last word of the chain is not a time of the row but when taskctl first saw it active: "first_seen".
    [[nodiscard]] bool counts_first_seen() const;
  } times;

  std::map<std::pair<std::string, std::string>, ColumnEncoding> encodings;  ///< by (table, column)

  std::vector<ClassRule> classes;
  std::vector<LivenessSource> liveness;
  std::optional<CancelRequestSource> cancel_request;
  std::vector<EvidenceSource> evidence;
  std::vector<Hazard> hazards;
  std::set<Rule> enabled_rules;      ///< rules that are off unless named
  Policy policy;                     ///< thresholds of the profile
  std::int64_t bulk_finished = 100;  ///< rule bulk-finished: at least so many tasks with one finished time

  std::map<std::string, Outcome> defaults;     ///< "dead" → failed; also "cancel", "force-cancel"
  std::map<std::string, std::string> reasons;  ///< text of :reason by rule code, "cancel" or "force-cancel"
  std::map<Outcome, OperationList> outcomes;
  std::map<Rule, OperationList> rule_operations;  ///< [[rule.missing-finished-time.op]]: used instead of the outcome's

  std::vector<RowRule> row_rules;  ///< [[invariant]] and [[derived]], in order

  std::vector<ColumnUse> columns;   ///< every column named anywhere, for the check against the live schema
  std::vector<Fragment> fragments;  ///< every piece of SQL, whatever it is for

  /// "pg-boss", or with its variant "pg-boss 10".
  [[nodiscard]] std::string title() const;
  /// nullptr when no entry has this rule on this table.
  [[nodiscard]] const RowRule* row_rule(Rule rule, const std::string& of_table) const;
  /// Encoding of a time column; nullptr when the profile does not say (then the column's type must be timestamptz).
  [[nodiscard]] const ColumnEncoding* encoding_of(const std::string& table, const std::string& column) const;
};

}  // namespace taskctl
