#include <algorithm>
#include <iterator>

#include "sql/dialect.hpp"
#include "sql/statements.hpp"
#include "sql/template.hpp"
#include "store/journal.hpp"

namespace taskctl {

std::vector<std::string> Journal::definition() const {
  std::vector<std::string_view Statements::*> parts{&Statements::create_meta, &Statements::create_runs,
                                                    &Statements::create_changes, &Statements::insert_journal_version};
  if (m_connection.engine() == Engine::postgres) {
    parts.insert(parts.begin(), {&Statements::create_journal_schema, &Statements::revoke_journal_schema});
    parts.push_back(&Statements::revoke_journal_tables);
  }
  std::vector<std::string> statements;
  std::transform(parts.begin(), parts.end(), std::back_inserter(statements),
                 [this](const auto member) { return statement(member); });
  return statements;
}

std::vector<std::string> Journal::grants(const std::string& role, Rights rights) const {
  std::vector<std::string_view Statements::*> parts{&Statements::grant_journal_schema, &Statements::grant_journal_read};
  if (rights != Rights::read) {
    parts.insert(parts.end(), {&Statements::grant_journal_write, &Statements::grant_journal_progress});
  }
  if (rights == Rights::prune) {
    parts.push_back(&Statements::grant_journal_prune);
  }
  const Dialect dialect{m_connection.engine()};
  std::vector<std::string> statements;
  for (const auto member : parts) {
    statements.push_back(fill_template(dialect.statements().*member,
                                       {{"schema", dialect.identifier(m_schema)}, {"role", dialect.identifier(role)}}));
  }
  return statements;
}

std::string Journal::ddl() const {
  std::vector<std::string> statements = definition();
  if (m_connection.engine() == Engine::postgres) {
    const std::vector<std::string> rights = grants(m_connection.server().user, Rights::write);
    statements.insert(statements.end(), rights.begin(), rights.end());
  }
  std::string text;
  for (const std::string& one : statements) {
    text += for_people(one);
  }
  return text;
}

}  // namespace taskctl
