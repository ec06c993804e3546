#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <chrono>

#include "base/clock.hpp"
#include "sqlite_processes.hpp"
#include "support/databases.hpp"

using namespace taskctl;
using namespace taskctl::test;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

/// A WAL database in a folder that everybody may write to, as its application (user nobody) left it.
class WalDatabase {
 public:
  WalDatabase() {
    std::filesystem::permissions(m_folder.path(), std::filesystem::perms{0777});
    in_process(k_nobody, [this] {
      return run_sql(path(),
                     "PRAGMA journal_mode=wal; CREATE TABLE tasks(id INTEGER PRIMARY KEY, note TEXT); INSERT INTO "
                     "tasks VALUES(1,'a')");
    });
  }
  [[nodiscard]] std::filesystem::path folder() const { return m_folder.path(); }
  [[nodiscard]] std::filesystem::path path() const { return m_folder.path() / "x.db"; }

 private:
  TempFolder m_folder;
};

std::string count_as(unsigned user, const std::filesystem::path& path) {
  return in_process(
      user, [&] { return std::to_string(number(*open_sqlite(path, Access::read), "SELECT count(*) FROM tasks")); });
}

std::string insert_as_application(const std::filesystem::path& path) {
  return in_process(k_nobody, [&] { return run_sql(path, "INSERT INTO tasks(note) VALUES('by the application')"); });
}

constexpr unsigned k_reader = 65533;

}  // namespace

TEST_CASE("reading an idle wal database leaves nothing and the application can go on") {
  const WalDatabase database;
  const auto before = contents_of(database.folder());
  REQUIRE(before.size() == 1);
  const unsigned user = GENERATE(0U, k_reader, k_nobody);
  CHECK(count_as(user, database.path()) == "1");
  CHECK(contents_of(database.folder()) == before);
  CHECK(insert_as_application(database.path()) == "ok");
}

TEST_CASE("reading while the application is at work sees its commits and creates nothing") {
  const WalDatabase database;
  Application application{database.path(), k_nobody};
  REQUIRE(application.exec("INSERT INTO tasks(note) VALUES('b')") == "ok");
  const auto before = contents_of(database.folder());
  REQUIRE(before.size() == 3);
  CHECK(count_as(k_reader, database.path()) == "2");
  CHECK(count_as(0, database.path()) == "2");
  CHECK(contents_of(database.folder()) == before);
  REQUIRE(application.exec("BEGIN IMMEDIATE; INSERT INTO tasks(note) VALUES('open')") == "ok");
  CHECK(count_as(k_reader, database.path()) == "2");
  CHECK(application.exec("COMMIT") == "ok");
  application.finish();
  CHECK(contents_of(database.folder()).size() == 1);
}

TEST_CASE("an application that stops before its reader leaves files that are its own") {
  const WalDatabase database;
  Application application{database.path(), k_nobody};
  REQUIRE(application.exec("INSERT INTO tasks(note) VALUES('b')") == "ok");
  {
    const auto reader = open_sqlite(database.path(), Access::read);
    Transaction snapshot{*reader, Access::read};
    application.finish();
    CHECK(number(*reader, "SELECT count(*) FROM tasks") == 2);
    snapshot.commit();
  }
  for (const auto& entry : std::filesystem::directory_iterator{database.folder()}) {
    struct stat info {};
    REQUIRE(::stat(entry.path().c_str(), &info) == 0);
    CHECK(info.st_uid == k_nobody);
  }
  CHECK(insert_as_application(database.path()) == "ok");
}

TEST_CASE("a killed application is read with what it had committed") {
  const WalDatabase database;
  Application application{database.path(), k_nobody};
  REQUIRE(application.exec("INSERT INTO tasks(note) VALUES('committed')") == "ok");
  REQUIRE(application.exec("BEGIN IMMEDIATE; INSERT INTO tasks(note) VALUES('not committed')") == "ok");
  application.kill();
  const auto before = contents_of(database.folder());
  REQUIRE(before.size() == 3);
  CHECK(count_as(k_reader, database.path()) == "2");
  CHECK(count_as(0, database.path()) == "2");
  CHECK(contents_of(database.folder()) == before);

  SECTION("the application starts again") {
    CHECK(insert_as_application(database.path()) == "ok");
  }
  SECTION("without its shm only a writer can read it") {
    std::filesystem::remove(database.path().string() + "-shm");
    const auto rest = contents_of(database.folder());
    CHECK_THAT(count_as(k_reader, database.path()), StartsWith("mismatch: ") && Contains("left by a crash"));
    CHECK_THAT(count_as(0, database.path()), StartsWith("mismatch: ") && Contains("left by a crash"));
    CHECK(contents_of(database.folder()) == rest);
    CHECK(insert_as_application(database.path()) == "ok");
  }
}

TEST_CASE("an empty wal without shm counts as idle") {
  const WalDatabase database;
  std::ofstream{database.path().string() + "-wal"};
  const auto before = contents_of(database.folder());
  CHECK(count_as(k_reader, database.path()) == "1");
  CHECK(contents_of(database.folder()) == before);
}

TEST_CASE("a wal that may not be read is an access error") {
  const WalDatabase database;
  Application application{database.path(), k_nobody};
  REQUIRE(application.exec("INSERT INTO tasks(note) VALUES('b')") == "ok");
  std::filesystem::permissions(database.path().string() + "-wal", std::filesystem::perms{0600});
  CHECK_THAT(count_as(k_reader, database.path()), StartsWith("access: no permission to open") && Contains("-wal"));
}

TEST_CASE("an idle wal database that changes between transactions is read anew") {
  const WalDatabase database;
  const auto reader = open_sqlite(database.path(), Access::read);
  CHECK(number(*reader, "SELECT count(*) FROM tasks") == 1);
  CHECK(insert_as_application(database.path()) == "ok");
  CHECK(number(*reader, "SELECT count(*) FROM tasks") == 2);
  Application application{database.path(), k_nobody};
  REQUIRE(application.exec("INSERT INTO tasks(note) VALUES('c')") == "ok");
  Transaction snapshot{*reader, Access::read};
  CHECK(number(*reader, "SELECT count(*) FROM tasks") == 3);
  snapshot.commit();
}

TEST_CASE("an idle wal database that changes during a transaction fails busy and then reads well") {
  const WalDatabase database;
  const auto reader = open_sqlite(database.path(), Access::read);
  {
    Transaction snapshot{*reader, Access::read};
    CHECK(number(*reader, "SELECT count(*) FROM tasks") == 1);
    REQUIRE(insert_as_application(database.path()) == "ok");
    CHECK_THROWS_AS(snapshot.commit(), BusyError);
    CHECK_FALSE(reader->in_transaction());
  }
  Transaction again{*reader, Access::read};
  CHECK(number(*reader, "SELECT count(*) FROM tasks") == 2);
  CHECK_NOTHROW(again.commit());
}

TEST_CASE("an idle wal database that was written a moment ago is read once its time can change again") {
  const WalDatabase database;
  const auto age = [&database] {
    struct stat info {};
    REQUIRE(::stat(database.path().c_str(), &info) == 0);
    const auto modified = std::chrono::seconds{info.st_mtim.tv_sec} + std::chrono::nanoseconds{info.st_mtim.tv_nsec};
    return system_clock().now().time_since_epoch() - modified;
  };
  for (int i = 0; i < 5; ++i) {
    REQUIRE(insert_as_application(database.path()) == "ok");
    const auto reading = open_sqlite(database.path(), Access::read);
    CHECK(age() >= std::chrono::milliseconds{20});
    CHECK(number(*reading, "SELECT count(*) FROM tasks") == i + 2);
  }
}

TEST_CASE("an application that only opens or reads an idle wal database changes nothing") {
  const WalDatabase database;
  const auto reader = open_sqlite(database.path(), Access::read);
  Transaction snapshot{*reader, Access::read};
  CHECK(number(*reader, "SELECT count(*) FROM tasks") == 1);
  Application application{database.path(), k_nobody};
  REQUIRE(application.exec("SELECT * FROM tasks") == "ok");
  CHECK_NOTHROW(snapshot.commit());
}

TEST_CASE("what an application commits beside an idle wal database is seen by the next transaction") {
  const WalDatabase database;
  const auto reader = open_sqlite(database.path(), Access::read);
  Transaction snapshot{*reader, Access::read};
  CHECK(number(*reader, "SELECT count(*) FROM tasks") == 1);
  Application application{database.path(), k_nobody};
  REQUIRE(application.exec("INSERT INTO tasks(note) VALUES('c')") == "ok");
  CHECK(number(*reader, "SELECT count(*) FROM tasks") == 1);  // in its -wal: the file is as it was
  CHECK_NOTHROW(snapshot.commit());
  Transaction again{*reader, Access::read};
  CHECK(number(*reader, "SELECT count(*) FROM tasks") == 2);
  CHECK_NOTHROW(again.commit());
}

TEST_CASE("a snapshot stays the same while the application commits") {
  const WalDatabase database;
  Application application{database.path(), k_nobody};
  REQUIRE(application.exec("INSERT INTO tasks(note) VALUES('b')") == "ok");
  const auto reader = open_sqlite(database.path(), Access::read);
  Transaction snapshot{*reader, Access::read};
  REQUIRE(application.exec("INSERT INTO tasks(note) VALUES('c')") == "ok");
  CHECK(number(*reader, "SELECT count(*) FROM tasks") == 2);
  snapshot.commit();
  CHECK(number(*reader, "SELECT count(*) FROM tasks") == 3);
}

TEST_CASE("a hot rollback journal is left to its owner") {
  const TempFolder folder;
  const std::filesystem::path path = folder.path() / "x.db";
  std::filesystem::permissions(folder.path(), std::filesystem::perms{0777});
  REQUIRE(
      run_sql(
          path,
          "CREATE TABLE tasks(id INTEGER PRIMARY KEY, note TEXT); WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT "
          "i+1 FROM n WHERE i<2000) INSERT INTO tasks SELECT i, 'a longer note than that' FROM n") == "ok");
  Application application{path};
  // A cache of one page is spilled to the file in the middle of the transaction, which makes the journal hot.
  REQUIRE(application.exec(
              "PRAGMA cache_size=1; BEGIN; UPDATE tasks SET note='changed by a transaction that never ends'") == "ok");

  SECTION("the writer lives: the reader waits and gives up") {
    CHECK_THAT(error_of([&] { open_sqlite(path, Access::read, std::chrono::milliseconds{200}); }),
               StartsWith("locked: "));
  }
  SECTION("the writer was killed") {
    application.kill();
    const auto before = contents_of(folder.path());
    REQUIRE(before.contains("x.db-journal"));
    for (const unsigned user : {0U, k_reader}) {
      CHECK_THAT(count_as(user, path), StartsWith("mismatch: ") && Contains("left by a crash"));
    }
    CHECK_THAT(error_of([&] { open_sqlite(path, Access::write); }), StartsWith("mismatch: "));
    CHECK(contents_of(folder.path()) == before);
    REQUIRE(run_sql(path, "SELECT count(*) FROM tasks") == "ok");
    CHECK(number(*open_sqlite(path, Access::read), "SELECT count(*) FROM tasks WHERE note LIKE 'changed%'") == 0);
  }
}

TEST_CASE("a journal that a transaction left wiped is not hot") {
  const TempFolder folder;
  const std::filesystem::path path = folder.path() / "x.db";
  const std::string mode = GENERATE("persist", "truncate");
  REQUIRE(run_sql(path, "PRAGMA journal_mode=" + mode + "; CREATE TABLE tasks(id); INSERT INTO tasks VALUES(1)") ==
          "ok");
  const auto before = contents_of(folder.path());
  REQUIRE(before.contains("x.db-journal"));
  CHECK(number(*open_sqlite(path, Access::read), "SELECT count(*) FROM tasks") == 1);
  CHECK(contents_of(folder.path()) == before);
}

TEST_CASE("looking at a database keeps the locks of this process") {
  const TempFolder folder;
  const std::filesystem::path path = folder.path() / "x.db";
  REQUIRE(run_sql(path, "CREATE TABLE tasks(id INTEGER PRIMARY KEY)") == "ok");
  // Forked first: a child inherits what its parent's SQLite believes to hold, and would find its own locks there.
  Application application{path};
  const auto writer = open_sqlite(path, Access::write);
  Transaction transaction{*writer, Access::write};
  writer->run("INSERT INTO tasks VALUES(1)");
  CHECK(number(*open_sqlite(path, Access::read), "SELECT count(*) FROM tasks") == 0);
  CHECK_THAT(application.exec("PRAGMA busy_timeout=50; BEGIN IMMEDIATE"), Contains("locked"));
  transaction.commit();
  CHECK(application.exec("BEGIN IMMEDIATE") == "ok");
}
