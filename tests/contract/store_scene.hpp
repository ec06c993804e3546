#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/timestamp.hpp"
#include "profile/profile_reader.hpp"
#include "store/catalog.hpp"
#include "store/task_store.hpp"
#include "support/databases.hpp"

namespace taskctl::test {

/// A database with a profile and a store that writes to it.
class StoreScene {
 public:
  StoreScene(Engine engine, const std::string& sql, Profile profile)
      : m_db{temp_database(engine, sql)},
        m_connection{m_db->open(Access::write)},
        m_profile{std::move(profile)},
        m_schema{read_schema(*m_connection, m_profile)},
        m_store{*m_connection, m_profile, m_schema} {}
  StoreScene(const StoreScene&) = delete;
  StoreScene& operator=(const StoreScene&) = delete;

  static StoreScene of_fixture(const std::string& profile, Engine engine, const std::string& file) {
    return StoreScene{engine, fixture(file), find_profile(profile)};
  }

  TempDatabase& db() { return *m_db; }
  Connection& connection() { return *m_connection; }
  TaskStore& store() { return m_store; }
  [[nodiscard]] const Profile& profile() const { return m_profile; }
  [[nodiscard]] const Schema& schema() const { return m_schema; }

  std::vector<TaskFacts> facts(const FactsRequest& request) {
    std::vector<TaskFacts> found;
    const Transaction transaction{*m_connection, Access::read};
    m_store.read_facts(request, [&](TaskFacts&& facts) { found.push_back(std::move(facts)); });
    std::ranges::sort(found, {}, [](const TaskFacts& facts) { return facts.task.key; });
    return found;
  }

  /// Keys as printed, sorted.
  std::vector<std::string> ids(const FactsRequest& request) {
    std::vector<std::string> texts;
    for (const TaskFacts& facts : facts(request)) {
      texts.push_back(facts.task.key.text());
    }
    return texts;
  }

  std::vector<std::string> ids_by_key(const std::vector<std::string>& keys) {
    FactsRequest request{.rows = FactsRequest::Rows::by_key};
    for (const std::string& key : keys) {
      request.keys.push_back({{key}});
    }
    return ids(request);
  }

  TaskFacts fact(const std::string& id) {
    const std::vector<TaskFacts> found = facts({.rows = FactsRequest::Rows::by_key, .keys = {{{id}}}});
    return found.size() == 1 ? found.front() : TaskFacts{};
  }

  /// What an outcome would change for one task.
  std::vector<Change> changes(Outcome outcome, const std::string& id, const std::string& reason, const char* now) {
    const std::vector<EvaluationInput> tasks{{{{id}}, reason}};
    const Transaction transaction{*m_connection, Access::read};
    return m_store.evaluate(m_profile.outcomes.at(outcome), tasks, parse_instant(now, "--now")).front();
  }

 private:
  std::unique_ptr<TempDatabase> m_db;
  std::unique_ptr<Connection> m_connection;
  Profile m_profile;
  Schema m_schema;
  TaskStore m_store;
};

inline const Value* column(const std::optional<Image>& image, const std::string& name) {
  return image ? image->find(name) : nullptr;
}

inline std::string text_in(const std::optional<Image>& image, const std::string& name) {
  const Value* value = column(image, name);
  return value == nullptr ? "(no such column)" : to_display(*value);
}

}  // namespace taskctl::test
