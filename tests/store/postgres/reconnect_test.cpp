#include <unistd.h>

#include <catch2/catch.hpp>

#include "base/error.hpp"
#include "server.hpp"
#include "store/reconnectable.hpp"

using namespace taskctl;
using namespace taskctl::test;

namespace {

Reconnectable& reconnectable(Connection& connection) {
  return dynamic_cast<Reconnectable&>(connection);
}

std::string backend_of(Connection& connection) {
  return text(connection, "SELECT pg_backend_pid()::text");
}

std::string settings_of(Connection& connection) {
  return text(connection,
              "SELECT string_agg(name || '=' || setting, ' ' ORDER BY name) FROM pg_settings WHERE source = 'session'");
}

void lose(TempDatabase& database, Connection& connection) {
  test::end_session(database, backend_of(connection));
  CHECK_THROWS_AS(connection.run("SELECT 1"), ConnectionLostError);
}

}  // namespace

TEST_CASE("reconnect - a new session has all settings of the lost one") {
  const auto access = GENERATE(Access::read, Access::write);
  const auto database = temp_postgres("CREATE TABLE tasks (id int); INSERT INTO tasks VALUES (1), (2)");
  const auto connection = connect(database->location(), access);
  const std::string process = backend_of(*connection);
  const std::string settings = settings_of(*connection);
  CHECK(settings.find("lock_timeout=") != std::string::npos);
  for (int i = 0; i < 3; ++i) {
    CHECK(text(*connection, "SELECT count(*)::text FROM tasks") == "2");  // prepared the second time
  }
  lose(*database, *connection);
  reconnectable(*connection).reconnect();
  CHECK(backend_of(*connection) != process);
  CHECK(settings_of(*connection) == settings);
  for (int i = 0; i < 3; ++i) {
    CHECK(text(*connection, "SELECT count(*)::text FROM tasks") == "2");
  }
}

TEST_CASE("reconnect - a transaction is gone with its session") {
  const auto database = temp_postgres("CREATE TABLE tasks (id int); INSERT INTO tasks VALUES (1), (2)");
  const auto connection = connect(database->location(), Access::write);
  connection->begin(Access::write);
  connection->run("DELETE FROM tasks");
  lose(*database, *connection);
  reconnectable(*connection).reconnect();
  CHECK_FALSE(connection->in_transaction());
  CHECK(text(*connection, "SELECT count(*)::text FROM tasks") == "2");
  connection->begin(Access::write);
  connection->run("DELETE FROM tasks WHERE id = 1");
  connection->commit();
  CHECK(reconnectable(*connection).last_commit() == CommitState::committed);
  CHECK(*database->value("SELECT count(*) FROM tasks") == "1");
}

TEST_CASE("reconnect - what the lost session held is free") {
  const auto database = temp_postgres("CREATE TABLE tasks (id int)");
  const auto connection = connect(database->location(), Access::write);
  const std::string process = backend_of(*connection);
  // The name that says whose process it is.
  connection->run("SELECT set_config('application_name', 'taskctl reconcile ann@db1 pid ' || $1::text, false)",
                  std::vector<Value>{std::to_string(getpid())});
  connection->run("SELECT pg_advisory_lock(7)");
  reconnectable(*connection).reconnect();
  CHECK(*database->value("SELECT count(*) FROM pg_stat_activity WHERE pid = " + process) == "0");
  CHECK(text(*connection, "SELECT pg_try_advisory_lock(7)::text") == "true");
}

TEST_CASE("reconnect - a server that does not answer may come back") {
  const auto database = temp_postgres("CREATE TABLE tasks (id int)");
  const auto connection = connect(database->location(), Access::write);
  const std::string name = text(*connection, "SELECT current_database()::text");
  const auto admin = temp_postgres("");
  lose(*database, *connection);
  admin->exec("ALTER DATABASE \"" + name + "\" ALLOW_CONNECTIONS false");
  CHECK_THROWS_AS(reconnectable(*connection).reconnect(), ConnectionLostError);
  CHECK_THROWS_AS(connection->run("SELECT 1"), ConnectionLostError);
  admin->exec("ALTER DATABASE \"" + name + "\" ALLOW_CONNECTIONS true");
  reconnectable(*connection).reconnect();
  CHECK(text(*connection, "SELECT 1::text") == "1");
}
