#include <sys/stat.h>

#include <cstdlib>
#include <fstream>

#include <catch2/catch.hpp>

#include "base/digest.hpp"
#include "base/environment.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "base/process.hpp"
#include "server.hpp"
#include "store/postgres/driver.hpp"

using namespace taskctl;
using namespace taskctl::test;

namespace {

constexpr const char* k_schema =
    "CREATE TYPE mood AS ENUM ('sad', 'glad');"
    "CREATE TABLE teams (id int PRIMARY KEY, name text);"
    "INSERT INTO teams VALUES (1, 'ops');"
    "CREATE TABLE \"Mixed Case\" (\"Id\" bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, team int REFERENCES teams,"
    " \"weird \"\"name\" text, m mood, data jsonb, raw bytea, at timestamptz, twice bigint GENERATED ALWAYS AS (\"Id\" "
    "* 2) STORED);"
    "INSERT INTO \"Mixed Case\" (team, \"weird \"\"name\", m, data, raw, at) SELECT 1, 'n' || n, 'glad', '{\"a\": 1}', "
    "'\\x00ff',"
    " '2025-12-19 08:54:56.123456+00' FROM generate_series(1, 700) AS n;"
    "UPDATE \"Mixed Case\" SET \"weird \"\"name\" = E'tab\\tline\\nback\\\\slash \\r \\\\. 日本' WHERE \"Id\" = 1;"
    "UPDATE \"Mixed Case\" SET \"weird \"\"name\" = NULL, m = NULL, data = NULL, raw = NULL, at = NULL WHERE \"Id\" = "
    "2;"
    "CREATE TABLE parts (id int, day date) PARTITION BY RANGE (day);"
    "CREATE TABLE parts_a PARTITION OF parts FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');"
    "CREATE TABLE parts_b PARTITION OF parts FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');"
    "INSERT INTO parts VALUES (1, '2025-05-05'), (2, '2026-05-05'), (3, '2026-06-06')";

const TableName k_mixed{"public", "Mixed Case"};
constexpr const char* k_everything = "SELECT md5(string_agg(t::text, '|' ORDER BY \"Id\")) FROM \"Mixed Case\" AS t";

struct Place {
  std::unique_ptr<TempDatabase> database = temp_postgres(k_schema);
  TempFolder folder;
  std::unique_ptr<BackupDriver> driver = postgres_driver().backup(parse_location(database->location()), {});

  [[nodiscard]] BackupRequest request(BackupScope scope) const {
    BackupRequest result;
    result.scope = scope;
    result.folder = folder.path() / "backups";
    if (scope == BackupScope::tables) {
      result.tables = {k_mixed, {"public", "parts"}};
    }
    if (scope == BackupScope::rows) {
      std::vector<RowKey> keys;
      for (int id = 1; id <= 600; ++id) {
        keys.push_back({{"Id"}, {std::to_string(id)}});
      }
      keys.push_back({{"Id"}, {std::string{"9999"}}});  // deleted since it was planned
      result.rows = {{k_mixed, keys}, {{"public", "teams"}, {{{"id"}, {std::string{"1"}}}}}};
    }
    return result;
  }
  [[nodiscard]] std::size_t files() const {
    const auto path = folder.path() / "backups";
    return std::filesystem::exists(path)
               ? static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator{path}, {}))
               : 0;
  }
};

std::string recipe(BackupDriver& driver, const std::filesystem::path& file, const std::string& to) {
  try {
    driver.restore(file, to);
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::usage);
    REQUIRE(error.hint().find("Run: ") == 0);
    return error.hint().substr(5);
  }
  return "false # restore() returned";
}

/// Runs a command line as a person would paste it; its standard error when it fails.
std::string paste(const std::string& command) {
  const ProcessResult result = run_process({"/bin/sh", "-c", command}, {}, std::chrono::minutes{1});
  return result.status == 0 ? "" : result.error + " (exit " + std::to_string(result.status) + ")";
}

/// A folder in front of $PATH with programs of the test's own.
class FakePrograms {
 public:
  FakePrograms() : m_path{environment("PATH").value_or("")} {
    ::setenv("PATH", (m_folder.path().string() + ":" + m_path).c_str(), 1);
  }
  ~FakePrograms() { ::setenv("PATH", m_path.c_str(), 1); }
  FakePrograms(const FakePrograms&) = delete;
  FakePrograms& operator=(const FakePrograms&) = delete;
  void add(const std::string& name, const std::string& script) const {
    const auto file = m_folder.path() / name;
    std::ofstream{file} << "#!/bin/sh\n" << script << "\n";
    std::filesystem::permissions(file, std::filesystem::perms::owner_all);
  }
  [[nodiscard]] const std::filesystem::path& folder() const { return m_folder.path(); }

 private:
  TempFolder m_folder;
  std::string m_path;
};

std::string mode_of(const std::filesystem::path& path) {
  struct stat info {};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  return std::to_string((info.st_mode >> 6U) & 7U) + std::to_string((info.st_mode >> 3U) & 7U) +
         std::to_string(info.st_mode & 7U);
}

}  // namespace

TEST_CASE("backup - whole database with its manifest") {
  Place place;
  const BackupResult result = place.driver->make(place.request(BackupScope::whole));
  const BackupManifest& manifest = result.manifest;
  CHECK(result.path.filename().string().find(database_of(*place.database) + "_backup_") == 0);
  CHECK(result.path.extension() == ".dump");
  CHECK(mode_of(result.path) == "600");
  CHECK(mode_of(manifest_path(result.path)) == "600");
  CHECK(mode_of(result.path.parent_path()) == "700");
  CHECK(manifest.file == result.path.filename());
  CHECK(manifest.engine == "postgres");
  CHECK(manifest.scope == BackupScope::whole);
  CHECK(manifest.bytes == std::filesystem::file_size(result.path));
  CHECK(manifest.sha256 == sha256_file(result.path));
  CHECK(manifest.database_version.find("PostgreSQL ") == 0);
  CHECK(manifest.identity == connect(place.database->location(), Access::read)->server().identity);
  CHECK(manifest.verified == VerifyLevel::open);
  const std::map<std::string, std::int64_t> expected{
      {"public.Mixed Case", 700}, {"public.teams", 1}, {"public.parts_a", 1}, {"public.parts_b", 2}};
  CHECK(manifest.row_counts == expected);
  const BackupManifest stored = parse_manifest(read_file(manifest_path(result.path)), "it");
  CHECK(stored.row_counts == expected);
  CHECK(stored.sha256 == manifest.sha256);
  CHECK(place.files() == 2);
  place.driver->verify(result.path, VerifyLevel::open);
  place.driver->verify(result.path, VerifyLevel::restore);
  CHECK(*place.database->value("SELECT count(*) FROM pg_database WHERE datname LIKE 'taskctl_verify_%'") == "0");
}

TEST_CASE("backup - tables with their partitions") {
  Place place;
  BackupRequest request = place.request(BackupScope::tables);
  request.verify = VerifyLevel::restore;
  request.automatic = true;
  const BackupResult result = place.driver->make(request);
  const std::map<std::string, std::int64_t> expected{
      {"public.Mixed Case", 700}, {"public.parts_a", 1}, {"public.parts_b", 2}};
  CHECK(result.manifest.row_counts == expected);
  CHECK(result.manifest.verified == VerifyLevel::restore);
  CHECK(result.manifest.automatic);
  BackupRequest unknown = place.request(BackupScope::tables);
  unknown.tables = {{"public", "mixed case"}};
  std::string message;
  CHECK(code_of([&] { place.driver->make(unknown); }, &message) == ExitCode::backup);
  CHECK(message.find("public.mixed case") != std::string::npos);
  CHECK(place.files() == 2);
}

TEST_CASE("backup - rows of a plan") {
  Place place;
  BackupRequest request = place.request(BackupScope::rows);
  request.verify = VerifyLevel::restore;
  const BackupResult result = place.driver->make(request);
  CHECK(result.path.extension() == ".sql");
  CHECK(mode_of(result.path) == "600");
  const std::map<std::string, std::int64_t> expected{{"public.Mixed Case", 600}, {"public.teams", 1}};
  CHECK(result.manifest.row_counts == expected);
  const std::string script = read_file(result.path);
  CHECK(script.find("-- CREATE TABLE IF NOT EXISTS \"public\".\"Mixed Case\"") != std::string::npos);
  CHECK(script.find("--   \"m\" mood,") != std::string::npos);
}

TEST_CASE("backup - the recipe for rows puts changed and missing ones back exactly") {
  Place place;
  const BackupResult result = place.driver->make(place.request(BackupScope::rows));
  const std::string before = *place.database->value(k_everything);
  place.database->exec(
      "UPDATE \"Mixed Case\" SET \"weird \"\"name\" = 'spoilt', data = NULL, at = now(), m = 'sad' WHERE \"Id\" <= 300;"
      "DELETE FROM \"Mixed Case\" WHERE \"Id\" BETWEEN 301 AND 350");
  CHECK(*place.database->value(k_everything) != before);
  const std::string command = recipe(*place.driver, result.path, database_of(*place.database));
  CHECK(paste(command) == "");
  CHECK(*place.database->value(k_everything) == before);
  CHECK(paste(command) == "");
  CHECK(*place.database->value(k_everything) == before);
  // A part of it that cannot be put back leaves everything as it is.
  place.database->exec("UPDATE teams SET name = 'other'; ALTER TABLE teams ADD CHECK (name <> 'ops')");
  place.database->exec("UPDATE \"Mixed Case\" SET \"weird \"\"name\" = 'again' WHERE \"Id\" = 1");
  CHECK(paste(command).find("violates check constraint") != std::string::npos);
  CHECK(*place.database->value("SELECT \"weird \"\"name\" FROM \"Mixed Case\" WHERE \"Id\" = 1") == "again");
}

TEST_CASE("backup - the recipe for a whole database makes an equal one") {
  Place place;
  const BackupResult result = place.driver->make(place.request(BackupScope::whole));
  const std::string before = *place.database->value(k_everything);
  const std::string copy = database_of(*place.database) + "_copy";
  CHECK(paste(recipe(*place.driver, result.path, copy)) == "");
  {
    const auto connection = connect("dbname=" + copy, Access::read);
    CHECK(text(*connection, k_everything) == before);
    CHECK(text(*connection, "SELECT count(*)::text FROM parts") == "3");
  }
  place.database->exec("DROP DATABASE " + copy);
}

TEST_CASE("backup - the recipe for tables fills emptied ones") {
  Place place;
  const BackupResult result = place.driver->make(place.request(BackupScope::tables));
  const std::string before = *place.database->value(k_everything);
  place.database->exec("TRUNCATE \"Mixed Case\", parts");
  CHECK(paste(recipe(*place.driver, result.path, database_of(*place.database))) == "");
  CHECK(*place.database->value(k_everything) == before);
  CHECK(*place.database->value("SELECT count(*) FROM parts") == "3");
}

TEST_CASE("backup - verify notices what has changed") {
  Place place;
  const BackupResult rows = place.driver->make(place.request(BackupScope::rows));
  const BackupResult whole = place.driver->make(place.request(BackupScope::whole));
  const auto refused = [&](const std::filesystem::path& file) {
    std::string message;
    CHECK(code_of([&] { place.driver->verify(file, VerifyLevel::open); }, &message) == ExitCode::backup);
    return message;
  };
  std::filesystem::resize_file(whole.path, whole.manifest.bytes - 10);
  CHECK(refused(whole.path).find("bytes, its manifest says") != std::string::npos);
  std::string script = read_file(rows.path);
  script[script.size() / 2] ^= 1;
  write_file_durably(rows.path, script);
  CHECK(refused(rows.path).find("SHA-256 differs") != std::string::npos);
  // A script that lost its end, with a manifest that agrees.
  BackupManifest manifest = rows.manifest;
  script.resize(script.size() / 2);
  write_file_durably(rows.path, script);
  manifest.bytes = script.size();
  manifest.sha256 = sha256(script);
  write_file_durably(manifest_path(rows.path), manifest_json(manifest));
  CHECK(refused(rows.path).find("cut off") != std::string::npos);
  std::filesystem::remove(rows.path);
  CHECK(refused(rows.path).find("there is no file") != std::string::npos);
}

TEST_CASE("backup - names are never taken twice") {
  Place place;
  BackupRequest request = place.request(BackupScope::rows);
  request.name = "before-repair.sql";
  CHECK(place.driver->make(request).path.filename() == "before-repair.sql");
  CHECK(place.driver->make(request).path.filename() == "before-repair-2.sql");
  request.name = "../elsewhere";
  CHECK(code_of([&] { place.driver->make(request); }) == ExitCode::usage);
  CHECK(place.files() == 4);
}

TEST_CASE("backup - a folder that cannot be written stops it") {
  Place place;
  BackupRequest request = place.request(BackupScope::rows);
  std::ofstream{place.folder.path() / "file"} << "not a folder";
  request.folder = place.folder.path() / "file" / "backups";
  std::string message;
  CHECK(code_of([&] { place.driver->make(request); }, &message) == ExitCode::backup);
  CHECK_THAT(message, Catch::Matchers::Contains(request.folder.parent_path().string()));
  request.folder = "/proc/taskctl";  // not even root can
  CHECK(code_of([&] { place.driver->make(request); }) == ExitCode::backup);
}

TEST_CASE("backup - an older or missing pg_dump is said before anything is written") {
  Place place;
  const FakePrograms programs;
  programs.add("pg_dump", "echo 'pg_dump (PostgreSQL) 12.9'");
  const ScopeChoice old = place.driver->choose_scope({k_mixed});
  CHECK(old.scope == BackupScope::rows);
  CHECK(old.reason.find("'pg_dump' is version 12, the server is version 1") == 0);
  CHECK(old.remedy.find("install postgresql-client-1") == 0);
  std::string message;
  CHECK(code_of([&] { place.driver->make(place.request(BackupScope::tables)); }, &message) == ExitCode::backup);
  CHECK(message.find("'pg_dump' is version 12, the server is version 1") == 0);
  CHECK(message.find("postgresql-client-1") != std::string::npos);
  programs.add("pg_dump", "exit 127");
  CHECK(place.driver->choose_scope({k_mixed}).reason == "'pg_dump' is not installed");
  CHECK(code_of([&] { place.driver->make(place.request(BackupScope::whole)); }, &message) == ExitCode::backup);
  CHECK(message.find("'pg_dump' is not installed") == 0);
  CHECK(place.files() == 0);
}

TEST_CASE("backup - tables are chosen when pg_dump is new enough") {
  Place place;
  const ScopeChoice choice = place.driver->choose_scope({k_mixed, {"", "parts"}});
  CHECK(choice.scope == BackupScope::tables);
  CHECK(choice.reason.empty());
}

TEST_CASE("backup - a dump that fails leaves no file and shows why") {
  Place place;
  const FakePrograms programs;
  programs.add("pg_dump",
               "case \"$1\" in --version) echo 'pg_dump (PostgreSQL) 99.1';; "
               "*) echo 'pg_dump: error: could not write: No space left on device' >&2; exit 1;; esac");
  std::string message;
  CHECK(code_of([&] { place.driver->make(place.request(BackupScope::whole)); }, &message) == ExitCode::backup);
  CHECK(message.find("No space left on device") != std::string::npos);
  // One that says it succeeded and wrote nothing is caught by looking at the contents.
  programs.add("pg_dump", "case \"$1\" in --version) echo 'pg_dump (PostgreSQL) 99.1';; esac");
  CHECK(code_of([&] { place.driver->make(place.request(BackupScope::whole)); }) == ExitCode::backup);
  CHECK(place.files() == 0);
}

TEST_CASE("backup - a password reaches pg_dump but not its command line") {
  Place place;
  const TempRole role{*place.database, "dumper", "LOGIN SUPERUSER"};
  const FakePrograms programs;
  const std::string log = (programs.folder() / "log").string();
  programs.add(
      "pg_dump",
      "case \"$1\" in --version) ;; *) echo \"$@\" >> " + log + "; echo \"secret=$PGPASSWORD\" >> " + log +
          ";; esac\nexec /usr/lib/postgresql/$(psql --version | sed 's/.* \\([0-9]*\\)\\..*/\\1/')/bin/pg_dump \"$@\"");
  const auto driver = postgres_driver().backup(parse_location(role.location()), {});
  const BackupResult result = driver->make(place.request(BackupScope::whole));
  const std::string said = read_file(log);
  CHECK(said.find("secret=" + role.name() + "\n") != std::string::npos);
  CHECK(said.find("password=") == std::string::npos);
  CHECK(read_file(manifest_path(result.path)).find("password=" + role.name()) == std::string::npos);
}

TEST_CASE("backup - a role without the right to read or to create databases is told so") {
  Place place;
  const TempRole role{*place.database, "limited"};
  place.database->exec("GRANT SELECT ON teams TO " + role.name());
  const auto driver = postgres_driver().backup(parse_location(role.location()), {});
  std::string message;
  CHECK(code_of([&] { driver->make(place.request(BackupScope::whole)); }, &message) == ExitCode::backup);
  CHECK(message.find("may not read the table 'public.Mixed Case' and 4 more objects") != std::string::npos);
  CHECK(message.find("GRANT SELECT ON ALL SEQUENCES IN SCHEMA \"public\" TO \"" + role.name() + "\"") !=
        std::string::npos);
  CHECK(place.files() == 0);
  BackupRequest request = place.request(BackupScope::tables);
  request.tables = {{"public", "teams"}};
  const BackupResult result = driver->make(request);
  CHECK(code_of([&] { driver->verify(result.path, VerifyLevel::restore); }, &message) == ExitCode::backup);
  CHECK(message.find("CREATEDB") != std::string::npos);
}

TEST_CASE("backup - a role that may repair but not read a sequence gets the rows") {
  Place place;
  const TempRole role{*place.database, "worker"};
  place.database->exec("GRANT SELECT, UPDATE ON \"Mixed Case\", teams, parts TO " + role.name());
  const auto driver = postgres_driver().backup(parse_location(role.location()), {});
  const ScopeChoice choice = driver->choose_scope({k_mixed});
  CHECK(choice.scope == BackupScope::rows);
  CHECK(choice.reason == "role '" + role.name() + "' may not read the sequence 'public.Mixed Case_Id_seq'");
  CHECK(choice.remedy == "GRANT SELECT ON ALL SEQUENCES IN SCHEMA \"public\" TO \"" + role.name() + "\"");
  CHECK(driver->make(place.request(BackupScope::rows)).manifest.row_counts.at("public.Mixed Case") == 600);
  BackupRequest tables = place.request(BackupScope::tables);
  std::string message;
  CHECK(code_of([&] { driver->make(tables); }, &message) == ExitCode::backup);
  CHECK(message.find("Mixed Case_Id_seq' and 2 more objects") != std::string::npos);  // the partitions of parts
  CHECK(driver->choose_scope({{"public", "teams"}}).scope == BackupScope::tables);
  CHECK(driver->choose_scope({{"public", "parts"}}).reason.find("may not read the table 'public.parts_a'") !=
        std::string::npos);
  place.database->exec(choice.remedy);
  CHECK(driver->choose_scope({k_mixed}).scope == BackupScope::tables);
  tables.tables = {k_mixed};
  CHECK(driver->make(tables).manifest.row_counts.at("public.Mixed Case") == 700);
  place.database->exec("ALTER TABLE \"Mixed Case\" ENABLE ROW LEVEL SECURITY");
  CHECK(driver->choose_scope({k_mixed}).reason.find("row-level security of 'public.Mixed Case' applies") == 0);
  place.database->exec(
      "ALTER TABLE \"Mixed Case\" DISABLE ROW LEVEL SECURITY; CREATE SCHEMA hidden;"
      "ALTER TABLE teams SET SCHEMA hidden");
  place.database->exec("GRANT SELECT ON ALL TABLES IN SCHEMA public TO " + role.name());
  CHECK(code_of([&] { driver->make(place.request(BackupScope::whole)); }, &message) == ExitCode::backup);
  CHECK(message.find("has no USAGE on the schema 'hidden'") != std::string::npos);
  CHECK(message.find("GRANT USAGE ON SCHEMA \"hidden\" TO \"" + role.name() + "\"") != std::string::npos);
}

TEST_CASE("backup - a stop ends it without a file") {
  Place place;
  StopSource stop;
  stop.request(15);
  BackupRequest request = place.request(BackupScope::whole);
  request.stop = &stop;
  CHECK_THROWS_AS(place.driver->make(request), InterruptedError);
  CHECK(place.files() == 0);
}
