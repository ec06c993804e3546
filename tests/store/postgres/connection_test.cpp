#include "store/postgres/connection.hpp"

#include <chrono>
#include <limits>
#include <thread>

#include <catch2/catch.hpp>

#include "base/error.hpp"
#include "server.hpp"
#include "store/postgres/session.hpp"

using namespace taskctl;
using namespace taskctl::test;
using namespace std::chrono_literals;

namespace {

constexpr const char* k_tasks =
    "CREATE TABLE tasks (id bigint PRIMARY KEY, status text CHECK (status <> 'bad'), note text);"
    "INSERT INTO tasks SELECT n, 'running', NULL FROM generate_series(1, 10) AS n";

std::vector<Value> values(std::initializer_list<Value> list) {
  return list;
}

}  // namespace

TEST_CASE("connection - knows its server") {
  const auto database = temp_postgres("");
  const auto connection = connect(database->location(), Access::read);
  const ServerInfo& server = connection->server();
  CHECK(server.version_number >= 130000);
  CHECK(server.version.find("PostgreSQL 1") == 0);
  CHECK(server.version.find('(') == std::string::npos);
  CHECK(server.database == database_of(*database));
  CHECK(server.user == *database->value("SELECT current_user"));
  CHECK(server.port == *database->value("SELECT current_setting('port')"));
  CHECK_FALSE(server.host.empty());
  CHECK_FALSE(server.standby);
  CHECK_FALSE(server.read_only);
  const std::string system = *database->value("SELECT system_identifier::text FROM pg_control_system()");
  const std::string oid = *database->value("SELECT oid::text FROM pg_database WHERE datname = current_database()");
  CHECK(server.identity == "postgres:" + system + "/" + oid + "@" + server.host + ":" + server.port);
}

TEST_CASE("connection - identity without the right to read the control file") {
  const auto database = temp_postgres("");
  const TempRole role{*database, "plain"};
  database->exec("REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC");
  const auto connection = connect(role.location(), Access::read);
  CHECK(connection->server().identity.find("postgres:no-system-identifier/") == 0);
}

TEST_CASE("connection - settings are pinned whatever role and database say") {
  const auto database = temp_postgres("");
  const std::string name = database_of(*database);
  database->exec("ALTER DATABASE " + name + " SET TimeZone = 'Asia/Tokyo'");
  database->exec("ALTER DATABASE " + name + " SET DateStyle = 'German'");
  database->exec("ALTER DATABASE " + name + " SET bytea_output = 'escape'");
  database->exec("ALTER DATABASE " + name + " SET extra_float_digits = -10");
  database->exec("ALTER DATABASE " + name + " SET IntervalStyle = 'iso_8601'");
  database->exec("ALTER DATABASE " + name + " SET client_encoding = 'LATIN1'");
  const auto connection = connect(database->location(), Access::read);
  CHECK(text(*connection, "SELECT '2025-12-19 08:54:56.5+00'::timestamptz::text") == "2025-12-19 08:54:56.5+00");
  CHECK(text(*connection, "SELECT date '2025-12-19'::text") == "2025-12-19");
  CHECK(text(*connection, "SELECT '\\x00ff'::bytea::text") == "\\x00ff");
  CHECK(text(*connection, "SELECT 0.1::float8::text") == "0.1");
  CHECK(text(*connection, "SELECT (0.1::float8 + 0.2)::text") == "0.30000000000000004");
  CHECK(text(*connection, "SELECT interval '1 day 2 hours'::text") == "1 day 02:00:00");
  CHECK(text(*connection, "SELECT 'ü'::text") == "ü");
}

TEST_CASE("connection - timeouts read back") {
  const auto database = temp_postgres(k_tasks);
  OpenOptions options;
  options.busy_wait = 30s;
  const auto reader = connect(database->location(), Access::read, options);
  CHECK(text(*reader, "SHOW lock_timeout") == "30s");
  CHECK(text(*reader, "SHOW statement_timeout") == "0");
  CHECK(text(*reader, "SHOW idle_in_transaction_session_timeout") == "1min");
  const auto writer = connect(database->location(), Access::write, options);
  CHECK(text(*writer, "SHOW lock_timeout") == "1s");
  CHECK(text(*writer, "SHOW statement_timeout") == "0");
  {
    const Transaction transaction{*writer, Access::write};
    CHECK(text(*writer, "SHOW statement_timeout") == "5s");
    CHECK(text(*writer, "SHOW idle_in_transaction_session_timeout") == "10s");
    CHECK(text(*writer, "SHOW transaction_isolation") == "read committed");
  }
  const Transaction transaction{*writer, Access::read};
  CHECK(text(*writer, "SHOW statement_timeout") == "0");
  CHECK(text(*writer, "SHOW transaction_isolation") == "repeatable read");
  CHECK(text(*writer, "SHOW transaction_read_only") == "on");

  options.statement_timeout = 300ms;
  options.busy_wait = 0s;
  const auto bounded = connect(database->location(), Access::read, options);
  CHECK(text(*bounded, "SHOW statement_timeout") == "300ms");
  CHECK(text(*bounded, "SHOW lock_timeout") == "1ms");
}

TEST_CASE("connection - the application name tells who it is") {
  const auto database = temp_postgres("");
  OpenOptions options;
  options.application = "taskctl reconcile";
  const auto connection = connect(database->location(), Access::read, options);
  const std::string name = text(*connection, "SHOW application_name");
  CHECK(name.find("taskctl reconcile ") == 0);
  CHECK(name.find('@') != std::string::npos);
  CHECK(name.find(" pid ") != std::string::npos);
  CHECK(name.size() <= 63);
  const auto named = connect(database->location() + "?application_name=mine", Access::read, options);
  CHECK(text(*named, "SHOW application_name") == "mine");
}

TEST_CASE("connection - values of every kind make the round trip") {
  const auto database = temp_postgres("");
  const auto connection = connect(database->location(), Access::write);
  CHECK(text(*connection, "SELECT $1::text::bigint::text", values({std::int64_t{-7}})) == "-7");
  CHECK(text(*connection, "SELECT $1::text::float8::text", values({0.1})) == "0.1");
  CHECK(text(*connection, "SELECT $1::text::float8::text", values({std::numeric_limits<double>::infinity()})) ==
        "Infinity");
  CHECK(text(*connection, "SELECT ($1::text IS NULL)::text", values({Null{}})) == "true");
  CHECK(text(*connection, "SELECT $1::text::bytea::text", values({Blob{std::string{"\0\xff", 2}}})) == "\\x00ff");
  const std::string odd = "quote ' \" % ; -- \\ \n 日本 🚀 \x01";
  CHECK(text(*connection, "SELECT $1::text", values({odd})) == odd);
  const std::string large(1 << 20, 'x');
  CHECK(text(*connection, "SELECT $1::text", values({large})) == large);
  const std::vector<Row> rows = connection->query("SELECT NULL, '', 'a'");
  REQUIRE(rows.size() == 1);
  CHECK(rows[0] == Row{Null{}, std::string{}, std::string{"a"}});
}

TEST_CASE("connection - a text that the database cannot hold is a usage error") {
  const auto database = temp_postgres("");
  const auto connection = connect(database->location(), Access::read);
  CHECK(code_of([&] { connection->run("SELECT $1::text", values({std::string{"a\0b", 3}})); }) == ExitCode::usage);
  CHECK(code_of([&] { connection->run("SELECT $1::text", values({std::string{"\xff"}})); }) == ExitCode::usage);
  CHECK(text(*connection, "SELECT 'still fine'") == "still fine");
}

TEST_CASE("connection - a database without an encoding hands its bytes through") {
  const auto database = temp_postgres("");
  const std::string name = database_of(*database) + "_ascii";
  database->exec("CREATE DATABASE " + name + " TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'");
  {
    const auto connection = connect("postgresql:///" + name, Access::write);
    connection->run("CREATE TABLE t (a text)");
    connection->run("INSERT INTO t VALUES ($1::text)", values({std::string{"caf\xe9"}}));
    CHECK(text(*connection, "SELECT a FROM t") == "caf\xe9");
  }
  database->exec("DROP DATABASE " + name + " WITH (FORCE)");
}

TEST_CASE("connection - run counts changed rows and not read ones") {
  const auto database = temp_postgres(k_tasks);
  const auto connection = connect(database->location(), Access::write);
  CHECK(connection->run("SELECT * FROM tasks") == 0);
  CHECK(connection->run("UPDATE tasks SET note = 'x' WHERE id <= 3") == 3);
  int seen = 0;
  CHECK(connection->run("WITH w AS (SELECT 1) UPDATE tasks SET note = 'y' WHERE id <= 4 RETURNING id", {},
                        [&](const Row&) { ++seen; }) == 4);
  CHECK(seen == 4);
  CHECK(connection->run("DELETE FROM tasks WHERE id = 99") == 0);
}

TEST_CASE("connection - a repeated statement is prepared once") {
  const auto database = temp_postgres(k_tasks);
  const auto connection = connect(database->location(), Access::read);
  const std::string count = "SELECT count(*)::text FROM pg_prepared_statements";
  for (int i = 1; i <= 4; ++i) {
    CHECK(text(*connection, "SELECT status FROM tasks WHERE id = $1::text::bigint", values({std::int64_t{i}})) ==
          "running");
  }
  CHECK(text(*connection, count) == "1");
}

TEST_CASE("connection - stream reads any number of rows in one snapshot") {
  const auto database =
      temp_postgres("CREATE TABLE big AS SELECT n AS id, repeat('x', 100) AS pad FROM generate_series(1, 10001) AS n");
  const auto connection = connect(database->location(), Access::read);
  CHECK(code_of([&] { connection->stream("SELECT 1", {}, [](const Row&) {}); }) == ExitCode::bug);
  Transaction transaction{*connection, Access::read};
  std::int64_t count = 0;
  std::int64_t sum = 0;
  connection->stream("SELECT id::text, pad FROM big WHERE id > $1::text::int", values({std::int64_t{1}}),
                     [&](const Row& row) {
                       if (++count == 1) {
                         database->exec("DELETE FROM big WHERE id > 5000");
                       }
                       sum += std::stoll(std::get<std::string>(row[0]));
                     });
  CHECK(count == 10000);
  CHECK(sum == 10001LL * 10002 / 2 - 1);
  connection->stream("SELECT 1 WHERE false", {}, [&](const Row&) { ++count; });
  CHECK(count == 10000);
  connection->stream("SELECT NULL, ''", {}, [&](const Row& row) { CHECK(row == Row{Null{}, std::string{}}); });
  CHECK(code_of([&] {
          connection->stream("SELECT 1 / (n - 500) FROM generate_series(1, 1000) AS n", {}, [](const Row&) {});
        }) == ExitCode::mismatch);  // what is read does not suit the SQL
  connection->rollback();
  CHECK(text(*connection, "SELECT 'usable'") == "usable");
}

TEST_CASE("connection - a sink that throws ends the statement and its transaction") {
  const auto database = temp_postgres("");
  const auto connection = connect(database->location(), Access::read);
  connection->begin(Access::read);
  const auto start = std::chrono::steady_clock::now();
  CHECK_THROWS_AS(connection->stream("SELECT generate_series(1, 1000000000)", {},
                                     [](const Row&) { throw std::runtime_error{"sink"}; }),
                  std::runtime_error);
  CHECK(std::chrono::steady_clock::now() - start < 20s);
  CHECK(code_of([&] { connection->commit(); }) == ExitCode::bug);
  CHECK(text(*connection, "SELECT 'usable'") == "usable");
}

TEST_CASE("connection - a streamed query may run on several processes") {
  const auto database = temp_postgres(
      "CREATE TABLE big AS SELECT n AS id FROM generate_series(1, 100000) AS n; ANALYZE big;"
      "CREATE FUNCTION who() RETURNS int LANGUAGE plpgsql PARALLEL SAFE AS 'BEGIN RETURN pg_backend_pid(); END'");
  const auto connection = connect(database->location(), Access::read);
  connection->run(
      "SELECT set_config('parallel_setup_cost', '0', false), set_config('parallel_tuple_cost', '0', false),"
      " set_config('min_parallel_table_scan_size', '0', false),"
      " set_config('parallel_leader_participation', 'off', false)");
  const Transaction transaction{*connection, Access::read};
  const std::string own = text(*connection, "SELECT pg_backend_pid()::text");
  int by_others = 0;
  connection->stream("SELECT who()::text FROM big WHERE id % 1000 = 3", {},
                     [&](const Row& row) { by_others += row[0] == Value{own} ? 0 : 1; });
  CHECK(by_others == 100);
}

TEST_CASE("connection - a reading one cannot write") {
  const auto database = temp_postgres(k_tasks);
  const auto connection = connect(database->location(), Access::read);
  const auto write = [&] { connection->run("UPDATE tasks SET note = 'written'"); };
  CHECK(code_of(write) == ExitCode::refused);
  CHECK(code_of([&] { connection->run("CREATE TABLE x (a int)"); }) == ExitCode::refused);
  CHECK(code_of([&] { connection->begin(Access::write); }) == ExitCode::refused);
  CHECK_FALSE(connection->in_transaction());
  {
    const Transaction transaction{*connection, Access::read};
    CHECK(code_of(write) == ExitCode::refused);
  }
  // Even with the default switched off, begin() says READ ONLY.
  connection->run("SET default_transaction_read_only = off");
  {
    const Transaction transaction{*connection, Access::read};
    CHECK(code_of(write) == ExitCode::refused);
  }
  CHECK(*database->value("SELECT count(*) FROM tasks WHERE note IS NOT NULL") == "0");
}

TEST_CASE("connection - a server that is set to read only refuses writes before the first statement") {
  const auto database = temp_postgres(k_tasks);
  database->exec("ALTER DATABASE " + database_of(*database) + " SET default_transaction_read_only = on");
  const auto connection = connect(database->location(), Access::write);
  CHECK(connection->server().read_only);
  std::string message;
  CHECK(code_of([&] { connection->begin(Access::write); }, &message) == ExitCode::refused);
  CHECK(message.find("only reads") != std::string::npos);
  CHECK(code_of([&] { connection->run("DELETE FROM tasks"); }) == ExitCode::refused);
}

TEST_CASE("connection - commit rollback and savepoints") {
  const auto database = temp_postgres(k_tasks);
  const auto connection = connect(database->location(), Access::write);
  const std::string notes = "SELECT count(*) FROM tasks WHERE note IS NOT NULL";
  {
    Transaction transaction{*connection, Access::write};
    CHECK(connection->in_transaction());
    connection->run("UPDATE tasks SET note = 'a' WHERE id = 1");
    connection->savepoint();
    CHECK_THROWS_AS(connection->run("UPDATE tasks SET status = 'bad' WHERE id = 2"), ConstraintError);
    connection->rollback_to_savepoint();
    connection->savepoint();
    connection->run("UPDATE tasks SET note = 'c' WHERE id = 3");
    connection->release_savepoint();
    CHECK(*database->value(notes) == "0");
    transaction.commit();
  }
  CHECK_FALSE(connection->in_transaction());
  CHECK(*database->value(notes) == "2");
  {
    const Transaction transaction{*connection, Access::write};
    connection->run("DELETE FROM tasks");
  }
  CHECK(*database->value(notes) == "2");
  CHECK(code_of([&] {
          Transaction transaction{*connection, Access::write};
          CHECK_THROWS_AS(connection->run("INSERT INTO tasks VALUES (1)"), ConstraintError);
          transaction.commit();  // the server would say ROLLBACK and no error
        }) == ExitCode::bug);
  CHECK_FALSE(connection->in_transaction());
  connection->begin(Access::read);
  CHECK(code_of([&] { connection->begin(Access::read); }) == ExitCode::bug);
}

TEST_CASE("connection - the server's clock to the microsecond") {
  const auto database = temp_postgres("");
  const auto connection = connect(database->location(), Access::read);
  const auto before = std::stoll(*database->value("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"));
  const Transaction transaction{*connection, Access::read};
  const Instant first = connection->now();
  const Instant second = connection->now();
  CHECK(first.time_since_epoch().count() >= before);
  CHECK(second > first);
  CHECK(second - first < 1min);
}

TEST_CASE("a server that refuses a session is told from one that does not answer, in any language") {
  using postgres::is_servers_refusal;
  CHECK(is_servers_refusal(
      "connection to server at \"::1\", port 5432 failed: FATAL:  sorry, too many clients already\n"));
  CHECK(is_servers_refusal("connection to server at \"::1\", port 5432 failed: ВАЖНО:  слишком много клиентов\n"));
  CHECK_FALSE(is_servers_refusal(
      "connection to server at \"::1\", port 1 failed: Connection refused\n\tIs the server running?"));
  CHECK_FALSE(is_servers_refusal("connection to server at \"::1\", port 5432 failed: timeout expired\n"));
}

TEST_CASE("a question to the server has a row or has none, and nobody there says no") {
  const auto never = [] { return false; };
  const auto database = test::temp_postgres("");
  CHECK(postgres::server_finds(database->location(), "SELECT 1 WHERE $1::text = 'x'", {"x"}, never));
  CHECK_FALSE(postgres::server_finds(database->location(), "SELECT 1 WHERE $1::text = 'x'", {"y"}, never));
  CHECK_FALSE(postgres::server_finds("host=127.0.0.1 port=1 connect_timeout=2", "SELECT 1", {}, never));
  CHECK(postgres::server_finds(database->location() + " user=taskctl_nobody password=x", "SELECT 1", {}, never));
}

TEST_CASE("a writer beside a transaction is noticed, and one that is alone is told so") {
  const auto database = test::temp_postgres("CREATE TABLE t (a int); INSERT INTO t VALUES (1)");
  const auto connection = connect(database->location(), Access::write);
  const auto others_write = [&](bool somebody) {
    Transaction transaction{*connection, Access::write};
    connection->run("UPDATE t SET a = a + 1");
    if (somebody) {
      database->exec("CREATE TABLE IF NOT EXISTS theirs (a int); INSERT INTO theirs VALUES (1)");
    }
    transaction.commit();
    return connection->others_write();
  };
  CHECK(others_write(true));
  bool alone = false;  // other tests use the same server
  for (int attempt = 0; attempt < 1000 && !alone; ++attempt) {
    alone = !others_write(false);
  }
  CHECK(alone);
}

TEST_CASE("a part of our own transaction that was rolled back is nobody else's") {
  const auto database = test::temp_postgres("CREATE TABLE t (a int); INSERT INTO t VALUES (1)");
  const auto somebody = connect(database->location(), Access::write);
  const auto connection = connect(database->location(), Access::write);
  const auto others_write = [&](bool rolled_back) {
    somebody->run("SELECT 1");  // at work in this database
    Transaction transaction{*connection, Access::write};
    connection->run("UPDATE t SET a = a + 1");
    connection->savepoint();
    connection->run("UPDATE t SET a = a + 1");
    rolled_back ? connection->rollback_to_savepoint() : connection->release_savepoint();
    transaction.commit();
    return connection->others_write();
  };
  CHECK_FALSE(others_write(true));
  CHECK_FALSE(others_write(true));
}

TEST_CASE("who writes to another database of the server does not wait for us") {
  const auto database = test::temp_postgres("CREATE TABLE t (a int); INSERT INTO t VALUES (1)");
  const auto another = test::temp_postgres("CREATE TABLE t (a int)");
  const auto connection = connect(database->location(), Access::write);
  std::this_thread::sleep_for(1200ms);  // what made this database is at work in it for a second more
  Transaction transaction{*connection, Access::write};
  connection->run("UPDATE t SET a = a + 1");
  another->exec("INSERT INTO t VALUES (1)");
  transaction.commit();
  CHECK_FALSE(connection->others_write());
}
