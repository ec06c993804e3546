#include <catch2/catch.hpp>

#include <atomic>
#include <limits>
#include <thread>

#include "sqlite_processes.hpp"
#include "store/batching.hpp"
#include "store/image_codec.hpp"
#include "store/journal.hpp"
#include "support/databases.hpp"

using namespace taskctl;
using namespace taskctl::test;

namespace {

constexpr const char* k_wal_tasks =
    "PRAGMA journal_mode=wal; CREATE TABLE tasks(id INTEGER PRIMARY KEY, note TEXT); INSERT INTO tasks VALUES(1,'a');";

std::int64_t synchronous(Connection& connection) {
  return std::get<std::int64_t>(connection.query("PRAGMA synchronous").at(0).at(0));
}

void write_once(Connection& connection) {
  Transaction transaction{connection, Access::write};
  connection.run("UPDATE tasks SET note = note || 'x'");
  transaction.commit();
}

}  // namespace

TEST_CASE("batches of a wal file are synced by the last commit only") {
  const TempFolder folder;
  const std::filesystem::path path = folder.path() / "x.db";
  run_sql(path, k_wal_tasks);
  const std::unique_ptr<Connection> connection = open_sqlite(path, Access::write);
  auto& batching = dynamic_cast<Batching&>(*connection);
  CHECK(synchronous(*connection) == 2);
  batching.set_batching(true);
  CHECK(synchronous(*connection) == 1);
  write_once(*connection);
  batching.set_batching(false);
  CHECK(synchronous(*connection) == 2);
}

TEST_CASE("batches of a file in rollback mode are synced one by one") {
  const TempFolder folder;
  const std::filesystem::path path = folder.path() / "x.db";
  run_sql(path, "CREATE TABLE tasks(id INTEGER PRIMARY KEY, note TEXT); INSERT INTO tasks VALUES(1,'a');");
  const std::unique_ptr<Connection> connection = open_sqlite(path, Access::write);
  dynamic_cast<Batching&>(*connection).set_batching(true);
  CHECK(synchronous(*connection) == 2);
}

TEST_CASE("a writer beside the batches is noticed") {
  const TempFolder folder;
  const std::filesystem::path path = folder.path() / "x.db";
  run_sql(path, k_wal_tasks);
  const std::unique_ptr<Connection> connection = open_sqlite(path, Access::write);
  write_once(*connection);
  write_once(*connection);
  CHECK_FALSE(connection->others_write());
  CHECK(run_sql(path, "UPDATE tasks SET note = 'theirs'") == "ok");
  write_once(*connection);
  CHECK(connection->others_write());
  write_once(*connection);
  CHECK_FALSE(connection->others_write());
}

TEST_CASE("a batch can follow right behind the write of somebody else, and does not wait for long") {
  const TempFolder folder;
  const std::filesystem::path path = folder.path() / "x.db";
  run_sql(path, GENERATE(as<std::string>{}, k_wal_tasks, "CREATE TABLE tasks(id INTEGER PRIMARY KEY, note TEXT);"));
  const std::unique_ptr<Connection> connection = open_sqlite(path, Access::write);
  write_once(*connection);
  const auto waited = [&](Duration longest) {
    const auto begin = std::chrono::steady_clock::now();
    dynamic_cast<Batching&>(*connection).await_write(longest);
    return std::chrono::steady_clock::now() - begin;
  };
  CHECK(waited(std::chrono::milliseconds{20}) >= std::chrono::milliseconds{20});
  std::atomic<bool> noticed = false;
  std::thread somebody{[&] {
    while (!noticed) {
      std::this_thread::sleep_for(std::chrono::milliseconds{100});
      run_sql(path, "INSERT INTO tasks (note) VALUES ('theirs')");
    }
  }};
  CHECK(waited(std::chrono::minutes{1}) < std::chrono::seconds{30});
  noticed = true;
  somebody.join();
}

TEST_CASE("images are written as json with everything escaped that has to be") {
  const auto columns = std::make_shared<const std::vector<std::string>>(
      std::vector<std::string>{"id", "t", "r", "whole", "n", "b", "bad", "nan", "quo\"te"});
  const Image image{columns,
                    {std::int64_t{-7}, std::string{"a\"\\\b\f\n\r\t\x01\x1f\x7f/\xc3\xa9"}, 0.1, 2.0, Null{}, Blob{""},
                     std::string{"\xff"}, std::numeric_limits<double>::quiet_NaN(), std::string{}}};
  CHECK(encode_image(image) ==
        "{\"id\":-7,\"t\":\"a\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u001f\x7f/\xc3\xa9\",\"r\":0.1,\"whole\":2.0,\"n\":null,"
        "\"b\":{\"blob\":\"\"},\"bad\":{\"text\":\"ff\"},\"nan\":{\"real\":\"nan\"},\"quo\\\"te\":\"\"}");
  CHECK(encode_names({}) == "[]");
  CHECK(encode_names({"a", "b\n"}) == "[\"a\",\"b\\n\"]");
  CHECK(encode_side_effects({{"t", "c", std::int64_t{1}, std::string{"x"}}}) ==
        "[{\"table\":\"t\",\"column\":\"c\",\"planned\":1,\"actual\":\"x\"}]");
  CHECK(encode_names({"a"}) == "[\"a\"]");
}
