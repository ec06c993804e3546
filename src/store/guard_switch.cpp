#include "store/guard_switch.hpp"

#include "sql/dialect.hpp"
#include "sql/statements.hpp"
#include "store/row_values.hpp"

namespace taskctl {

GuardSwitch::GuardSwitch(Connection& connection) : m_connection{connection} {
  const Statements& statements = Dialect{connection.engine()}.statements();
  if (flag_of(connection.query(statements.guard_state_exists).at(0).at(0))) {
    connection.run(statements.guard_suspend);
    m_suspended = true;
  }
}

void GuardSwitch::resume() {
  if (m_suspended) {
    m_connection.run(Dialect{m_connection.engine()}.statements().guard_resume);
    m_suspended = false;
  }
}

}  // namespace taskctl
