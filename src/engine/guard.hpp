#pragma once

#include <cstdint>
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
    differs,   ///< made from another profile, mode or version
    disabled,  ///< somebody switched the trigger off
    unwanted,  ///< of ours, but not for this profile and mode
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
  /// Throws Error{mismatch} when the table cannot be guarded (view, partitioned, foreign, virtual).
  Guard(Connection& connection, const Profile& profile, const Schema& schema, std::string journal_schema);

  [[nodiscard]] GuardDefinition definition(GuardMode mode) const;
  /// Compared with `mode`, or with the mode of what is installed, or with reject.
  [[nodiscard]] GuardStatus status(std::optional<GuardMode> mode = {});
  /// What install has to send now; empty when everything is in place.
  [[nodiscard]] std::vector<std::string> install_statements(GuardMode mode);
  [[nodiscard]] std::vector<std::string> remove_statements();
  /// All of them or none, in one transaction. Throws BusyError when somebody holds the table.
  void run(const std::vector<std::string>& statements);

  /// How many rows are wrong now by each rule that can be counted, in the order of `rules` (nullopt: cannot).
  [[nodiscard]] std::vector<std::optional<std::int64_t>> count_wrong(const std::vector<GuardRule>& rules);
  /// The statement that validates the constraint; empty when there is none that needs it.
  [[nodiscard]] std::string validation();

  [[nodiscard]] std::vector<GuardRecord> report(std::size_t limit);  ///< newest first
  [[nodiscard]] bool has_log();
  [[nodiscard]] const TableInfo& table() const { return m_table; }

 private:
  struct Installed {
    GuardKind kind = GuardKind::trigger;
    std::string name, mark;
    bool validated = true, enabled = true, shared = false;
  };
  [[nodiscard]] std::vector<Installed> installed();
  [[nodiscard]] std::string drop(const Installed& object) const;
  [[nodiscard]] bool schema_exists();

  Connection& m_connection;
  const Profile& m_profile;
  const Schema& m_schema;
  std::string m_journal_schema;
  const TableInfo& m_table;
};

}  // namespace taskctl
