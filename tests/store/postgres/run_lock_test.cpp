#include <chrono>
#include <thread>

#include <catch2/catch.hpp>

#include "base/environment.hpp"
#include "base/error.hpp"
#include "server.hpp"
#include "store/postgres/driver.hpp"

using namespace taskctl;
using namespace taskctl::test;
using namespace std::chrono_literals;

namespace {

std::unique_ptr<RunLock> take(Connection& connection, const std::string& location, const std::string& command,
                              Duration wait = {}, const StopSource* stop = nullptr) {
  return postgres_driver().lock(connection, parse_location(location), LockRequest{command, wait, stop});
}

}  // namespace

TEST_CASE("run lock - one holder per database, who is named across roles") {
  const auto database = temp_postgres("");
  const TempRole role{*database, "other"};
  const auto holder = connect(database->location(), Access::write);
  const auto other = connect(role.location(), Access::write);
  const auto lock = take(*holder, database->location(), "reconcile");
  lock->check();
  std::string message;
  CHECK(code_of([&] { take(*other, role.location(), "undo"); }, &message) == ExitCode::locked);
  const Author author = current_author();
  CHECK(message.find("taskctl reconcile " + author.user + "@" + author.host.substr(0, 8)) != std::string::npos);
  CHECK(message.find("pid " + std::to_string(author.pid)) != std::string::npos);
  CHECK(message.find("role '" + holder->server().user + "'") != std::string::npos);
  CHECK(message.find("server process " + text(*holder, "SELECT pg_backend_pid()::text")) != std::string::npos);
  CHECK(message.find(role.location()) == std::string::npos);
  // A role that may see it is also told since when.
  const auto administrator = connect(database->location(), Access::write);
  CHECK(code_of([&] { take(*administrator, database->location(), "undo"); }, &message) == ExitCode::locked);
  CHECK(message.find(" since 20") != std::string::npos);

  const auto elsewhere = temp_postgres("");
  const auto free = connect(elsewhere->location(), Access::write);
  take(*free, elsewhere->location(), "reconcile")->check();
}

TEST_CASE("run lock - release and a killed holder both free it") {
  const auto database = temp_postgres("");
  const auto holder = connect(database->location(), Access::write);
  const auto next = connect(database->location(), Access::write);
  take(*holder, database->location(), "reconcile").reset();
  {
    const auto lock = take(*next, database->location(), "reconcile");
    CHECK(code_of([&] { take(*holder, database->location(), "reconcile"); }) == ExitCode::locked);
    test::end_session(*database, text(*next, "SELECT pg_backend_pid()::text"));
    take(*holder, database->location(), "reconcile")->check();
    CHECK(code_of([&] { lock->check(); }) == ExitCode::unavailable);
  }
}

TEST_CASE("run lock - a lock that is gone is noticed") {
  const auto database = temp_postgres("");
  const auto holder = connect(database->location(), Access::write);
  const auto lock = take(*holder, database->location(), "reconcile");
  holder->run("SELECT pg_advisory_unlock_all()");
  CHECK(code_of([&] { lock->check(); }) == ExitCode::unavailable);
}

TEST_CASE("run lock - waiting ends with the lock, the time or a stop") {
  const auto database = temp_postgres("");
  const auto holder = connect(database->location(), Access::write);
  const auto waiter = connect(database->location(), Access::write);
  auto lock = take(*holder, database->location(), "reconcile");
  auto start = std::chrono::steady_clock::now();
  CHECK(code_of([&] { take(*waiter, database->location(), "undo", 300ms); }) == ExitCode::locked);
  CHECK(std::chrono::steady_clock::now() - start >= 300ms);
  CHECK(std::chrono::steady_clock::now() - start < 3s);
  StopSource stop;
  stop.request(15);
  CHECK_THROWS_AS(take(*waiter, database->location(), "undo", 30s, &stop), InterruptedError);
  std::thread releaser{[&] {
    std::this_thread::sleep_for(200ms);
    lock.reset();
  }};
  start = std::chrono::steady_clock::now();
  take(*waiter, database->location(), "undo", 30s)->check();
  CHECK(std::chrono::steady_clock::now() - start < 5s);
  releaser.join();
}
