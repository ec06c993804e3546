#pragma once

#include "store/connection.hpp"

namespace taskctl {

/// Lets taskctl's own writes pass the guards that `taskctl guard install` put on a table: undoing a repair brings a
/// contradiction back on purpose. For one transaction that the caller has begun for writing, and for no other session.
///
/// PostgreSQL: the setting taskctl.guard_off, local to the transaction. SQLite: a row in taskctl_guard_state, written
/// and removed within the transaction; costs nothing where no guard is installed.
class GuardSwitch {
 public:
  explicit GuardSwitch(Connection& connection);
  /// Before the commit. Not called when the transaction is rolled back, which takes the switch with it.
  void resume();

 private:
  Connection& m_connection;
  bool m_suspended = false;
};

}  // namespace taskctl
