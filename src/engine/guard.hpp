#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "profile/profile.hpp"
#include "sql/render_guard.hpp"
#include "sql/schema.hpp"
#include "store/connection.hpp"

namespace taskctl {

/// One object of the guard: as the profile wants it, compared with what is in the database.
struct GuardItem {
  enum class State {
    installed,
    not_valid,  ///< PostgreSQL: guards new and changed rows, rows from before were not checked
    missing,
    differs,       ///< made from another profile, mode or version
    disabled,      ///< somebody switched the trigger off
    unwanted,      ///< of ours, but not for this profile and mode
    contradicted,  ///< PostgreSQL: validated, but rows are wrong since (`undo` brought them back)
  };
  GuardKind kind = GuardKind::trigger;
  std::string name;
  State state = State::missing;
};
[[nodiscard]] std::string_view to_string(GuardItem::State state);  ///< "installed", "not-valid", …

struct GuardStatus {
  std::optional<GuardMode> mode;  ///< of what is installed; nullopt: nothing is
  std::vector<GuardItem> items;
  bool switched_off = false;  ///< the switch of taskctl's own writes is on for everybody
  /// Everything that the profile wants is there, at work, and made from this profile.
  [[nodiscard]] bool matches() const;
};

/// One row of taskctl_guard_log. In SQLite who wrote is not known: those are empty.
struct GuardRecord {
  std::int64_t id = 0;
  std::string at, rule, table, task, operation;
  std::optional<std::string> old_status, new_status, old_finished, new_finished;
  std::optional<std::string> user, application, client, pid, statement;
};

/// Constraints and triggers on the task table that keep the contradictions of a profile out.
class Guard {
 public:
  /// Throws Error{mismatch} when the table cannot be guarded (view, partitioned, inherited, foreign, virtual).
  Guard(Connection& connection, const Profile& profile, const Schema& schema, std::string journal_schema);

  [[nodiscard]] GuardDefinition definition(GuardMode mode) const;
  /// Compared with `mode`, or with the mode of what is installed, or with reject.
  [[nodiscard]] GuardStatus status(std::optional<GuardMode> mode = {});
  /// What install has to send now; empty when everything is in place.
  [[nodiscard]] std::vector<std::string> install_statements(GuardMode mode);
  [[nodiscard]] std::vector<std::string> remove_statements();
  /// Throws Error{access} naming the owner when the connection's role is not allowed to change the table.
  void require_owner() const;
  /// All of them or none, in one transaction, which `also` may add to before the commit. Throws BusyError when somebody
  /// holds the table, Error{access} when a right is missing.
  void run(const std::vector<std::string>& statements, const std::function<void()>& also = {});

  /// How many rows are wrong now by each rule that can be counted, in the order of `rules` (nullopt: cannot).
  [[nodiscard]] std::vector<std::optional<std::int64_t>> count_wrong(const std::vector<GuardRule>& rules);
  /// The statement that validates the constraint; empty when there is none that needs it.
  [[nodiscard]] std::string validation();
  /// The constraint is validated and rows are wrong all the same: a dump made now does not restore. Installing again
  /// makes it NOT VALID. Also for a database that has no guard and a table that cannot have one.
  [[nodiscard]] static bool is_contradicted(Connection& connection, const Profile& profile, const Schema& schema,
                                            const std::string& journal_schema);

  [[nodiscard]] std::vector<GuardRecord> report(std::size_t limit);  ///< newest first
  [[nodiscard]] bool has_log();
  [[nodiscard]] const TableInfo& table() const { return m_table; }
  [[nodiscard]] Engine engine() const { return m_connection.engine(); }

 private:
  struct Installed {
    GuardKind kind = GuardKind::trigger;
    std::string name, mark;
    bool validated = true, enabled = true, shared = false;
  };
  [[nodiscard]] static std::vector<Installed> read_installed(Connection& connection, const TableInfo& table,
                                                             const std::string& journal_schema);
  [[nodiscard]] std::vector<Installed> installed();
  [[nodiscard]] std::string drop(const Installed& object) const;
  [[nodiscard]] bool schema_exists();
  [[nodiscard]] bool has_wrong_rows(const GuardDefinition& definition);  ///< by the rule that is a constraint
  [[nodiscard]] static bool validated_check(const std::vector<Installed>& objects);

  Connection& m_connection;
  const Profile& m_profile;
  const Schema& m_schema;
  std::string m_journal_schema;
  const TableInfo& m_table;
  std::string m_owner;  ///< of the table; PostgreSQL only
  bool m_owned = true;  ///< the role has the owner's rights
};

}  // namespace taskctl
