#include <sys/socket.h>

#include <netinet/in.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include <catch2/catch.hpp>

#include "base/error.hpp"
#include "server.hpp"
#include "store/postgres/errors.hpp"

using namespace taskctl;
using namespace taskctl::test;
using namespace std::chrono_literals;

namespace {

constexpr const char* k_checked_tasks =
    "CREATE TABLE tasks (id bigint PRIMARY KEY, status text NOT NULL CHECK (status <> 'bad'), small smallint);"
    "CREATE TABLE logs (task bigint REFERENCES tasks DEFERRABLE INITIALLY DEFERRED);"
    "INSERT INTO tasks SELECT n, 'running' FROM generate_series(1, 3) AS n;"
    "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
    "  IF NEW.status = 'raise' THEN RAISE EXCEPTION 'not like this' USING DETAIL = 'the detail.'; END IF;"
    "  IF NEW.status = 'own' THEN RAISE EXCEPTION 'own code' USING ERRCODE = 'TQ001'; END IF;"
    "  RETURN NEW; END $$;"
    "CREATE TRIGGER refuse BEFORE UPDATE ON tasks FOR EACH ROW EXECUTE FUNCTION refuse()";

std::string backend(Connection& connection) {
  return text(connection, "SELECT pg_backend_pid()::text");
}

/// A TCP port of the loopback that accepts connections and never answers, or that nobody listens on.
class Port {
 public:
  explicit Port(bool listening) : m_socket{::socket(AF_INET, SOCK_STREAM, 0)} {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(m_socket, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::getsockname(m_socket, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    m_number = ntohs(address.sin_port);
    if (listening) {
      REQUIRE(::listen(m_socket, 5) == 0);
    }
  }
  ~Port() { ::close(m_socket); }
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;
  [[nodiscard]] std::string text() const { return std::to_string(m_number); }

 private:
  int m_socket;
  int m_number = 0;
};

}  // namespace

TEST_CASE("failure - data of one row is a constraint error") {
  const auto database = temp_postgres(k_checked_tasks);
  const auto connection = connect(database->location(), Access::write);
  const auto attempt = [&](const std::string& sql) {
    std::string message = "no error";
    connection->begin(Access::write);
    try {
      connection->run(sql);
    } catch (const ConstraintError& error) {
      message = error.message();
    }
    connection->rollback();
    return message;
  };
  CHECK(attempt("INSERT INTO tasks VALUES (1, 'x')") ==
        "duplicate key value violates unique constraint \"tasks_pkey\" (Key (id)=(1) already exists)");
  CHECK(attempt("UPDATE tasks SET status = NULL").find("null value in column \"status\"") == 0);
  CHECK(attempt("UPDATE tasks SET status = 'bad'").find("violates check constraint") != std::string::npos);
  CHECK(attempt("UPDATE tasks SET status = 'raise'") == "not like this (the detail)");
  CHECK(attempt("UPDATE tasks SET status = 'own'") == "own code");
  CHECK(attempt("UPDATE tasks SET small = 100000").find("smallint out of range") == 0);
  CHECK(attempt("UPDATE tasks SET id = 'seven'::text::bigint").find("invalid input syntax") == 0);
}

TEST_CASE("failure - a deferred constraint at commit is known not to have happened") {
  const auto database = temp_postgres(k_checked_tasks);
  const auto connection = connect(database->location(), Access::write);
  connection->begin(Access::write);
  connection->run("INSERT INTO logs VALUES (77)");
  CHECK_THROWS_AS(connection->commit(), ConstraintError);
  CHECK_FALSE(connection->in_transaction());
  connection->begin(Access::write);
  connection->run("INSERT INTO logs VALUES (1)");
  connection->commit();
  CHECK(*database->value("SELECT string_agg(task::text, ',') FROM logs") == "1");
}

TEST_CASE("failure - tables and columns that are not there do not fit") {
  const auto database = temp_postgres(k_checked_tasks);
  const auto connection = connect(database->location(), Access::read);
  std::string message;
  CHECK(code_of([&] { connection->run("SELECT * FROM nothing"); }, &message) == ExitCode::mismatch);
  CHECK(message.find("relation \"nothing\" does not exist") == 0);
  CHECK(message.find("LINE") == std::string::npos);
  CHECK(code_of([&] { connection->run("SELECT wrong FROM tasks"); }) == ExitCode::mismatch);
  CHECK(code_of([&] { connection->run("SELECT no_function(1)"); }) == ExitCode::mismatch);
  CHECK(code_of([&] { connection->run("SELEC 1"); }, &message) == ExitCode::failed);
  CHECK(message.find("42601") != std::string::npos);
  CHECK(code_of([&] { connection->run("SELECT 1; SELECT 2"); }) == ExitCode::failed);
}

TEST_CASE("failure - a missing privilege is named") {
  const auto database = temp_postgres(k_checked_tasks);
  const TempRole role{*database, "reader"};
  database->exec("GRANT SELECT ON tasks TO " + role.name());
  const auto connection = connect(role.location(), Access::write);
  CHECK(text(*connection, "SELECT count(*)::text FROM tasks") == "3");
  std::string message;
  CHECK(code_of([&] { connection->run("UPDATE tasks SET status = 'x'"); }, &message) == ExitCode::access);
  CHECK(message.find("permission denied for table tasks") == 0);
  CHECK(code_of([&] { connection->run("SELECT * FROM logs"); }) == ExitCode::access);
  CHECK(code_of([&] { connection->run("CREATE SCHEMA taskctl"); }) == ExitCode::access);
}

TEST_CASE("failure - locks of others end in busy") {
  const auto database = temp_postgres(k_checked_tasks);
  OpenOptions options;
  options.busy_wait = 200ms;
  const auto holder = connect(database->location(), Access::write);
  const auto connection = connect(database->location(), Access::write, options);
  holder->begin(Access::write);
  holder->run("UPDATE tasks SET small = 1 WHERE id = 1");
  connection->begin(Access::write);
  const auto start = std::chrono::steady_clock::now();
  std::string message;
  const std::string holding = "server process " + backend(*holder);
  CHECK(code_of([&] { connection->run("UPDATE tasks SET small = 2 WHERE id = 1"); }, &message) == ExitCode::locked);
  CHECK(std::chrono::steady_clock::now() - start < 2s);
  CHECK(message.find("a row of 'public.tasks' is locked, perhaps by " + holding + " (application '") == 0);
  connection->rollback();
  holder->run("LOCK TABLE tasks");
  connection->begin(Access::write);
  CHECK_THROWS_AS(connection->run("SELECT 1 FROM tasks FOR UPDATE SKIP LOCKED"), BusyError);
  connection->rollback();
  holder->rollback();
  connection->begin(Access::write);
  CHECK(connection->run("UPDATE tasks SET small = 2 WHERE id = 1") == 1);
}

TEST_CASE("failure - a locked table is named with who locks it") {
  const auto database = temp_postgres(k_checked_tasks);
  const TempRole role{*database, "reader"};
  database->exec("GRANT SELECT, UPDATE ON tasks, logs TO " + role.name());
  OpenOptions options;
  options.busy_wait = 200ms;
  const auto holder = connect(database->location(), Access::write);
  const std::string pid = backend(*holder);
  holder->run("SET application_name = 'ALTER by hand'");
  holder->begin(Access::write);
  holder->run("LOCK TABLE tasks");
  for (const std::string& place : {database->location(), role.location()}) {
    const auto connection = connect(place, Access::read, options);
    connection->begin(Access::read);
    std::string message;
    CHECK(code_of([&] { connection->stream("SELECT id FROM \"tasks\"", {}, {}); }, &message) == ExitCode::locked);
    CHECK(message.find("'public.tasks' is locked by server process " + pid + " (application 'ALTER by hand'") == 0);
    CHECK(message.find("pg_terminate_backend(" + pid + ")") != std::string::npos);
    CHECK(message.find("--lock-timeout") != std::string::npos);
    connection->rollback();
    // Names the table by a parameter.
    const std::vector<Value> name{std::string{"tasks"}};
    CHECK(code_of([&] { connection->run("SELECT pg_total_relation_size($1::text::regclass)", name); }, &message) ==
          ExitCode::locked);
    CHECK(message.find("'public.tasks' is locked by server process " + pid) == 0);
  }
  // Somebody who waits in line himself: the one he waits for is named too.
  holder->rollback();
  holder->begin(Access::write);
  holder->run("SELECT * FROM tasks");
  const auto queued = connect(database->location(), Access::write);
  const std::string queued_pid = backend(*queued);
  ExitCode of_queued = ExitCode::bug;
  std::thread waiting{[&] {
    queued->begin(Access::write);
    queued->run("SET LOCAL lock_timeout = '60s'");
    queued->run("SET LOCAL statement_timeout = '60s'");
    of_queued = code_of([&] { queued->run("LOCK TABLE tasks"); });
    queued->rollback();
  }};
  const std::string is_waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid = " + queued_pid;
  for (int i = 0; i < 1000 && *database->value(is_waiting) != "1"; ++i) {
    std::this_thread::sleep_for(10ms);
  }
  const auto connection = connect(database->location(), Access::read, options);
  std::string message;
  const ExitCode code = code_of([&] { connection->run("SELECT id FROM \"tasks\""); }, &message);
  holder->rollback();
  waiting.join();
  CHECK(code == ExitCode::locked);
  CHECK(of_queued == ExitCode::ok);
  CHECK(message.find("'public.tasks' is locked by server process " + queued_pid) == 0);
  CHECK(message.find("waits itself for process " + pid) != std::string::npos);
}

TEST_CASE("failure - deadlock and statement timeout end in busy") {
  const auto database = temp_postgres(k_checked_tasks);
  database->exec("ALTER DATABASE " + database_of(*database) + " SET deadlock_timeout = '50ms'");
  OpenOptions options;
  options.statement_timeout = 300ms;
  const auto slow = connect(database->location(), Access::read, options);
  std::string message;
  CHECK(code_of([&] { slow->run("SELECT pg_sleep(5)"); }, &message) == ExitCode::locked);
  CHECK(message.find("timeout") != std::string::npos);

  const auto one = connect(database->location(), Access::write);
  const auto two = connect(database->location(), Access::write);
  one->begin(Access::write);
  two->begin(Access::write);
  one->run("UPDATE tasks SET small = 1 WHERE id = 1");
  two->run("UPDATE tasks SET small = 1 WHERE id = 2");
  int busy = 0;
  std::thread other{[&] {
    try {
      two->run("UPDATE tasks SET small = 1 WHERE id = 1");
    } catch (const BusyError&) {
      two->rollback();
      ++busy;
    }
  }};
  try {
    one->run("UPDATE tasks SET small = 1 WHERE id = 2");
  } catch (const BusyError&) {
    one->rollback();
    other.join();
    ++busy;
  }
  if (other.joinable()) {
    other.join();
  }
  CHECK(busy == 1);
}

TEST_CASE("failure - a serialization failure ends in busy") {
  const auto database = temp_postgres(k_checked_tasks);
  const auto connection = connect(database->location(), Access::write);
  connection->begin(Access::write);
  connection->run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ");
  connection->run("SELECT * FROM tasks");
  database->exec("UPDATE tasks SET small = 9 WHERE id = 1");
  CHECK_THROWS_AS(connection->run("UPDATE tasks SET small = 1 WHERE id = 1"), BusyError);
}

TEST_CASE("failure - interrupt stops a running statement from another thread") {
  const auto database = temp_postgres(k_checked_tasks);
  const auto connection = connect(database->location(), Access::write);
  connection->begin(Access::read);
  std::thread interrupter{[&] {
    std::this_thread::sleep_for(200ms);
    connection->interrupt();
  }};
  const auto start = std::chrono::steady_clock::now();
  CHECK_THROWS_AS(connection->run("SELECT pg_sleep(20)"), InterruptedError);
  interrupter.join();
  CHECK(std::chrono::steady_clock::now() - start < 5s);
  connection->rollback();
  CHECK(text(*connection, "SELECT 'again'") == "again");
}

TEST_CASE("failure - interrupt between two statements keeps the transaction from being committed") {
  const auto database = temp_postgres(k_checked_tasks);
  const auto connection = connect(database->location(), Access::write);
  connection->begin(Access::write);
  connection->run("UPDATE tasks SET small = 5");
  connection->interrupt();
  CHECK_THROWS_AS(connection->commit(), InterruptedError);
  connection->rollback();
  CHECK(*database->value("SELECT count(*) FROM tasks WHERE small = 5") == "0");
  // One that came when nothing was open does not stop the next transaction.
  connection->interrupt();
  connection->begin(Access::write);
  CHECK(connection->run("UPDATE tasks SET small = 6 WHERE id = 1") == 1);
  connection->commit();
}

TEST_CASE("failure - a statement cancelled by an administrator is not tried again") {
  const auto database = temp_postgres(k_checked_tasks);
  const auto connection = connect(database->location(), Access::read);
  const std::string pid = backend(*connection);
  std::thread administrator{[&] {
    for (int i = 0; i < 100; ++i) {
      std::this_thread::sleep_for(20ms);
      if (*database->value("SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE "
                           "'%pg_sleep(20)' AND pid = " +
                           pid) == "1") {
        break;
      }
    }
    database->exec("SELECT pg_cancel_backend(" + pid + ")");
  }};
  CHECK_THROWS_AS(connection->run("SELECT pg_sleep(20)"), InterruptedError);
  administrator.join();
}

TEST_CASE("failure - a lost session stays lost") {
  const auto database = temp_postgres(k_checked_tasks);
  const auto connection = connect(database->location(), Access::write);
  connection->begin(Access::write);
  connection->run("UPDATE tasks SET small = 5");
  test::end_session(*database, backend(*connection));
  CHECK(code_of([&] { connection->run("UPDATE tasks SET small = 6"); }) == ExitCode::unavailable);
  connection->rollback();
  std::string message;
  CHECK(code_of([&] { connection->run("SELECT 1"); }, &message) == ExitCode::unavailable);
  CHECK(message.find("was lost") != std::string::npos);
  CHECK(code_of([&] { connection->begin(Access::write); }) == ExitCode::unavailable);
  CHECK_FALSE(connection->in_transaction());
  CHECK(*database->value("SELECT count(*) FROM tasks WHERE small IS NOT NULL") == "0");
}

TEST_CASE("failure - a session lost before commit is not in doubt") {
  const auto database = temp_postgres(k_checked_tasks);
  const auto connection = connect(database->location(), Access::write);
  connection->begin(Access::write);
  connection->run("UPDATE tasks SET small = 5");
  test::end_session(*database, backend(*connection));
  CHECK_THROWS_AS(connection->commit(), ConnectionLostError);
  CHECK_FALSE(connection->in_transaction());
}

TEST_CASE("failure - a session killed while committing is in doubt") {
  const auto database = temp_postgres(
      "CREATE TABLE t (a int);"
      "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(20); RETURN NULL; END $$;"
      "CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION "
      "slow()");
  const auto connection = connect(database->location(), Access::write);
  const std::string pid = backend(*connection);
  connection->begin(Access::write);
  connection->run("INSERT INTO t VALUES (1)");
  std::thread killer{[&] {
    std::this_thread::sleep_for(300ms);
    database->exec("SELECT pg_terminate_backend(" + pid + ")");
  }};
  CHECK_THROWS_AS(connection->commit(), InDoubtError);
  killer.join();
  connection->reconnect();
  CHECK(connection->last_commit() == CommitState::rolled_back);
}

TEST_CASE("failure - wrong password and unknown role are about access and show no password") {
  const auto database = temp_postgres("");
  const TempRole role{*database, "plain"};
  const std::string base = "host=localhost dbname=" + database_of(*database);
  std::string message;
  CHECK(code_of([&] { connect(base + " user=" + role.name() + " password=WrOnG1", Access::read); }, &message) ==
        ExitCode::access);
  CHECK(message.find("WrOnG1") == std::string::npos);
  CHECK(message.find("password authentication failed") != std::string::npos);
  CHECK(code_of([&] { connect(base + " user=nobody_here password=WrOnG2", Access::read); }, &message) ==
        ExitCode::access);
  CHECK(message.find("WrOnG2") == std::string::npos);
  OpenOptions options;
  options.password = "WrOnG3";
  CHECK(code_of([&] { connect(role.location(), Access::read, options); }, &message) == ExitCode::access);
  CHECK(message.find("WrOnG3") == std::string::npos);
  CHECK(message.find("=" + role.name() + " ") != std::string::npos);
  options.password = role.name();
  CHECK(connect(base + " user=" + role.name() + " password=WrOnG1", Access::read, options)->server().user ==
        role.name());
}

TEST_CASE("failure - unknown database and refused port are unavailable") {
  std::string message;
  CHECK(code_of([&] { connect("dbname=taskctl_not_here", Access::read); }, &message) == ExitCode::unavailable);
  CHECK(message.find("taskctl_not_here") != std::string::npos);
  const Port closed{false};
  const auto start = std::chrono::steady_clock::now();
  CHECK(code_of([&] { connect("postgresql://ann:s3cret@127.0.0.1:" + closed.text() + "/app", Access::read); },
                &message) == ExitCode::unavailable);
  CHECK(message.find("s3cret") == std::string::npos);
  CHECK(message.find("refused") != std::string::npos);
  CHECK(message.find('\n') == std::string::npos);
  CHECK(std::chrono::steady_clock::now() - start < 5s);
}

TEST_CASE("failure - a host that accepts and never answers is given up") {
  const Port silent{true};
  OpenOptions options;
  options.connect_timeout = 2s;
  for (const char* extra : {"", " connect_timeout=0"}) {
    const auto start = std::chrono::steady_clock::now();
    std::string message;
    CHECK(code_of([&] { connect("host=127.0.0.1 dbname=app port=" + silent.text() + extra, Access::read, options); },
                  &message) == ExitCode::unavailable);
    CHECK(message.find("timeout expired") != std::string::npos);
    CHECK(std::chrono::steady_clock::now() - start < 6s);
  }
}

TEST_CASE("failure - the second of two hosts is taken when the first is down") {
  const auto database = temp_postgres("");
  const Port closed{false};
  const auto connection =
      connect("host=127.0.0.1,localhost port=" + closed.text() + "," +
                  *database->value("SELECT current_setting('port')") + " dbname=" + database_of(*database),
              Access::read);
  CHECK(connection->server().host == "localhost");
  CHECK(connection->server().port == *database->value("SELECT current_setting('port')"));
}

TEST_CASE("failure - a connection string that cannot be read is quoted nowhere") {
  for (const char* bad : {"host=db1 password=my s3cret word", "host=db1 password='s3cret", "host=db1 s3cret=1",
                          "postgresql://ann@db1/app?s3cret=1", "postgresql://ann:%zzs3cret@db1/app"}) {
    std::string message;
    CHECK(code_of([&] { connect(bad, Access::read); }, &message) == ExitCode::usage);
    CHECK(message.find("s3cret") == std::string::npos);
    CHECK(message.size() > 40);
  }
}

TEST_CASE("failure - server messages are cut to what matters") {
  CHECK(postgres::short_message("ERROR:  no such thing\nLINE 1: SELECT\n        ^\n") == "no such thing");
  CHECK(postgres::short_message("ОШИБКА:  нет\nDETAIL:  Why.\n") == "нет (Why)");
  CHECK(postgres::short_message("plain") == "plain");
  CHECK(postgres::short_message("") == "");
}
