#include <sys/stat.h>

#include <catch2/catch.hpp>

#include "sqlite_processes.hpp"
#include "support/databases.hpp"

using namespace taskctl;
using namespace taskctl::test;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

constexpr const char* k_tasks =
    "CREATE TABLE tasks(id INTEGER PRIMARY KEY, note TEXT); INSERT INTO tasks VALUES(1,'a');";

std::string open_error(const std::filesystem::path& path, Access access = Access::read) {
  return error_of([&] { open_sqlite(path, access); });
}

void write_bytes(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream{path, std::ios::binary} << bytes;
}

}  // namespace

TEST_CASE("open names a bad file and leaves it alone") {
  const TempFolder folder;
  const Access access = GENERATE(Access::read, Access::write);
  const std::filesystem::path path = folder.path() / "x.db";

  SECTION("missing") {
    CHECK_THAT(open_error(path, access), StartsWith("unavailable: there is no file"));
    CHECK(contents_of(folder.path()).empty());
  }
  SECTION("a directory") {
    CHECK_THAT(open_error(folder.path(), access), StartsWith("unavailable: ") && Contains("is a directory"));
  }
  SECTION("a pipe does not hang") {
    REQUIRE(mkfifo(path.c_str(), 0600) == 0);
    CHECK_THAT(open_error(path, access), StartsWith("unavailable: ") && Contains("pipe"));
  }
  SECTION("below a file") {
    write_bytes(path, "x");
    CHECK_THAT(open_error(path / "y", access), StartsWith("unavailable: cannot open"));
  }
  SECTION("empty") {
    write_bytes(path, "");
    CHECK_THAT(open_error(path, access), StartsWith("mismatch: ") && Contains("is empty"));
    CHECK(contents_of(folder.path()) == std::map<std::string, std::string>{{"x.db", ""}});
  }
  SECTION("text, shorter and longer than a header") {
    const std::string text = GENERATE(std::string{"hello"}, std::string(9000, 'h'));
    write_bytes(path, text);
    CHECK_THAT(open_error(path, access), StartsWith("mismatch: ") && Contains("is not a SQLite database"));
    CHECK(bytes_of(path) == text);
  }
}

TEST_CASE("open finds a truncated file") {
  const TempFolder folder;
  const std::filesystem::path path = folder.path() / "x.db";
  REQUIRE(run_sql(path, std::string{k_tasks} +
                            "WITH RECURSIVE n(i) AS (VALUES(2) UNION ALL SELECT i+1 FROM n WHERE i<500) "
                            "INSERT INTO tasks SELECT i, 'a longer note' FROM n") == "ok");
  const std::uint64_t whole = std::filesystem::file_size(path);
  REQUIRE(whole > 8192);
  const std::uint64_t size = GENERATE(50U, 100U, 3000U, 4096U, 8191U);
  std::filesystem::resize_file(path, size);
  const auto before = contents_of(folder.path());
  CHECK_THAT(open_error(path), StartsWith("mismatch: "));
  CHECK_THAT(open_error(path, Access::write), StartsWith("mismatch: "));
  CHECK(contents_of(folder.path()) == before);
}

TEST_CASE("open finds a damaged schema") {
  const TempFolder folder;
  const std::filesystem::path path = folder.path() / "x.db";
  REQUIRE(run_sql(path, k_tasks) == "ok");
  std::string bytes = bytes_of(path);
  bytes.replace(100, 12, 12, '\xee');
  write_bytes(path, bytes);
  CHECK_THAT(open_error(path), StartsWith("mismatch: ") && Contains("damaged"));
  CHECK(bytes_of(path) == bytes);
}

TEST_CASE("open takes names as they are") {
  const TempFolder folder;
  const std::string name = GENERATE(
      std::string{"a?mode=rw&b#c%20.db"}, std::string{"file:x.db"}, std::string{"with 'quotes' \"and\" blanks.db"},
      std::string{"\xe4\xbb\xbb\xe5\x8a\xa1.db"}, std::string{"not utf-8 \xff.db"}, std::string{":memory:"});
  const std::filesystem::path plain = folder.path() / "plain.db";
  const std::filesystem::path path = folder.path() / name;
  REQUIRE(run_sql(plain, k_tasks) == "ok");
  std::filesystem::rename(plain, path);
  CHECK(number(*open_sqlite(path, Access::read), "SELECT count(*) FROM tasks") == 1);
  CHECK(open_sqlite(path, Access::write)->run("INSERT INTO tasks VALUES(2,'b')") == 1);
  CHECK(contents_of(folder.path()).size() == 1);
}

TEST_CASE("open follows symbolic links to the one real path") {
  const TempFolder folder;
  const std::filesystem::path path = std::filesystem::canonical(folder.path()) / "x.db";
  REQUIRE(run_sql(path, k_tasks) == "ok");
  std::filesystem::create_symlink(path, folder.path() / "link.db");
  const auto direct = open_sqlite(path, Access::read);
  const auto linked = open_sqlite(folder.path() / "link.db", Access::read);
  CHECK(linked->server().database == path.string());
  CHECK(linked->server().identity == direct->server().identity);
  CHECK_THAT(linked->server().version, StartsWith("SQLite 3."));
  std::filesystem::create_symlink("nowhere", folder.path() / "dangling.db");
  CHECK_THAT(open_error(folder.path() / "dangling.db"), StartsWith("unavailable: "));
}

TEST_CASE("permissions decide as another user") {
  const TempFolder folder;
  const std::filesystem::path path = folder.path() / "x.db";
  REQUIRE(run_sql(path, k_tasks) == "ok");
  std::filesystem::permissions(folder.path(), std::filesystem::perms{0755});
  const auto open_as_nobody = [&](Access access) {
    return in_process(k_nobody,
                      [&] { return std::to_string(number(*open_sqlite(path, access), "SELECT count(*) FROM tasks")); });
  };
  SECTION("a file that is read-only for us can be read and not written") {
    CHECK(open_as_nobody(Access::read) == "1");
    CHECK_THAT(open_as_nobody(Access::write), StartsWith("access: no permission to write"));
  }
  SECTION("a folder that is read-only for us can be read and not written") {
    std::filesystem::permissions(path, std::filesystem::perms{0666});
    CHECK(open_as_nobody(Access::read) == "1");
    CHECK_THAT(open_as_nobody(Access::write), StartsWith("access: no permission to create a journal in"));
  }
  SECTION("what the application left beside it is read-only for us") {
    std::filesystem::permissions(folder.path(), std::filesystem::perms{0777});
    std::filesystem::permissions(path, std::filesystem::perms{0666});
    const std::string name = GENERATE("x.db-wal", "x.db-shm", "x.db-journal");
    write_bytes(folder.path() / name, "");
    CHECK_THAT(open_as_nobody(Access::write), StartsWith("access: no permission to write") && Contains(name));
    std::filesystem::remove(folder.path() / name);
  }
  SECTION("an unreadable file") {
    std::filesystem::permissions(path, std::filesystem::perms{0600});
    CHECK_THAT(open_as_nobody(Access::read), StartsWith("access: no permission to read"));
  }
  SECTION("a folder that cannot be entered") {
    std::filesystem::permissions(folder.path(), std::filesystem::perms{0700});
    CHECK_THAT(open_as_nobody(Access::read), StartsWith("access: no permission to open"));
  }
  CHECK(contents_of(folder.path()).size() == 1);
}

TEST_CASE("a reading connection cannot write") {
  const TempFolder folder;
  const std::filesystem::path path = folder.path() / "x.db";
  const std::string mode = GENERATE("delete", "wal");
  REQUIRE(run_sql(path, "PRAGMA journal_mode=" + mode + ";" + k_tasks) == "ok");
  const auto before = contents_of(folder.path());
  const auto connection = open_sqlite(path, Access::read);
  CHECK(connection->access() == Access::read);
  CHECK_THAT(error_of([&] { connection->run("UPDATE tasks SET note='b'"); }), StartsWith("refused: "));
  CHECK_THAT(error_of([&] { connection->run("CREATE TABLE t(a)"); }), StartsWith("refused: "));
  CHECK_THAT(error_of([&] { connection->begin(Access::write); }), StartsWith("refused: "));
  CHECK(contents_of(folder.path()) == before);
}

TEST_CASE("an application that keeps the file to itself is named as the reason") {
  const TempFolder folder;
  const std::filesystem::path path = folder.path() / "x.db";
  const std::string mode = GENERATE("delete", "wal");
  REQUIRE(run_sql(path, "PRAGMA journal_mode=" + mode + ";" + k_tasks) == "ok");
  Application application{path};
  REQUIRE(application.exec("PRAGMA locking_mode=EXCLUSIVE; UPDATE tasks SET note='b'") == "ok");
  const Access access = GENERATE(Access::read, Access::write);
  CHECK_THAT(error_of([&] { open_sqlite(path, access, std::chrono::milliseconds{50}); }),
             StartsWith("locked: ") && Contains("is locked by another process"));
  CHECK(application.exec("UPDATE tasks SET note='c'") == "ok");
}

TEST_CASE("the journal mode stays what it was") {
  const TempFolder folder;
  const std::filesystem::path path = folder.path() / "x.db";
  const std::string mode = GENERATE("delete", "wal");
  REQUIRE(run_sql(path, "PRAGMA journal_mode=" + mode + ";" + k_tasks) == "ok");
  {
    const auto connection = open_sqlite(path, Access::write);
    Transaction transaction{*connection, Access::write};
    CHECK(connection->run("UPDATE tasks SET note='b'") == 1);
    transaction.commit();
    CHECK(std::get<std::string>(connection->query("PRAGMA journal_mode").at(0).at(0)) == mode);
  }
  CHECK(contents_of(folder.path()).size() == 1);
}
