#include "store/postgres/postgres_backup.hpp"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "base/clock.hpp"
#include "base/digest.hpp"
#include "base/environment.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "base/text.hpp"
#include "base/timestamp.hpp"
#include "sql/dialect.hpp"
#include "sql/statements.hpp"
#include "store/partial_file.hpp"
#include "store/postgres/dump_rights.hpp"
#include "store/postgres/row_text.hpp"
#include "store/postgres/rows_backup.hpp"
#include "store/postgres/scratch_database.hpp"

namespace taskctl::postgres {
namespace {

constexpr std::int64_t k_largest_tables = std::int64_t{1} << 30;
constexpr int k_first_lz4_version = 16;

struct ListedTable {
  TableName name;
  std::int64_t bytes = 0;
  bool partitioned = false;  ///< has no rows of its own
};

ListedTable to_listed(const Row& row) {
  ListedTable table;
  table.name = {text_or_empty(row[0]), text_or_empty(row[1])};
  table.bytes = std::stoll(text_or_empty(row[2]));
  table.partitioned = row.size() > 3 && text_or_empty(row[3]) == "p";
  return table;
}

std::vector<ListedTable> all_tables(Connection& connection) {
  std::vector<ListedTable> result;
  connection.run(Dialect{Engine::postgres}.statements().backup_tables, {},
                 [&](const Row& row) { result.push_back(to_listed(row)); });
  return result;
}

/// The tables with their partitions, each once.
std::vector<ListedTable> with_partitions(Connection& connection, const std::vector<TableName>& tables) {
  std::vector<ListedTable> result;
  for (const TableName& table : tables) {
    const std::size_t before = result.size();
    const std::vector<Value> parameters{table.schema, table.name};
    bool found = false;
    connection.run(Dialect{Engine::postgres}.statements().backup_table_tree, parameters, [&](const Row& row) {
      found = true;
      ListedTable listed = to_listed(row);
      const auto same = [&](const ListedTable& other) { return other.name == listed.name; };
      if (std::none_of(result.begin(), result.begin() + static_cast<std::ptrdiff_t>(before), same)) {
        result.push_back(std::move(listed));
      }
    });
    if (!found) {
      throw Error{ExitCode::backup, "there is no table '" + table.display() + "' to back up"};
    }
  }
  return result;
}

std::vector<TableName> names_of(const std::vector<ListedTable>& tables) {
  std::vector<TableName> names;
  for (const ListedTable& table : tables) {
    names.push_back(table.name);
  }
  return names;
}

std::vector<TableName> names_with_rows(const std::vector<ListedTable>& tables) {
  std::vector<TableName> names;
  for (const ListedTable& table : tables) {
    if (!table.partitioned) {
      names.push_back(table.name);
    }
  }
  return names;
}

/// Before pg_dump starts: it says which object it may not read, but not what to do about it. Null: the whole database.
void require_readable(Connection& connection, const std::vector<ListedTable>* tables) {
  const std::vector<TableName> names = tables == nullptr ? std::vector<TableName>{} : names_of(*tables);
  const std::optional<DumpObstacle> obstacle = find_dump_obstacle(connection, tables == nullptr ? nullptr : &names);
  if (obstacle) {
    throw Error{ExitCode::backup, "pg_dump would fail: " + obstacle->reason,
                fmt::format("Run as an administrator: {}; before a repair, --backup rows needs no such right.",
                            obstacle->remedy)};
  }
}

std::string stem_of(const std::string& database) {
  std::string stem = database;
  std::replace_if(
      stem.begin(), stem.end(),
      [](unsigned char c) { return std::isalnum(c) == 0 && c != '-' && c != '_' && c != '.'; }, '_');
  return stem;
}

/// In pg_restore's list: "215; 1259 16386 TABLE DATA public my table owner"; line ends in names become blanks.
bool lists_data_of(const std::string& contents, const std::string& display) {
  std::string wanted = display;
  std::replace_if(
      wanted.begin(), wanted.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  if (const std::size_t dot = wanted.find('.'); dot != std::string::npos) {
    wanted[dot] = ' ';
  }
  return contents.find(" TABLE DATA " + wanted + " ") != std::string::npos;
}

void compare_counts(const std::string& file, const std::map<std::string, std::int64_t>& expected,
                    const std::map<std::string, std::int64_t>& found) {
  for (const auto& [table, count] : expected) {
    const auto at = found.find(table);
    const std::int64_t have = at == found.end() ? 0 : at->second;
    if (have != count) {
      throw Error{ExitCode::backup,
                  fmt::format("the backup '{}' has {} rows of '{}', expected {}", file, have, table, count)};
    }
  }
}

BackupManifest read_own_manifest(const std::filesystem::path& file) {
  BackupManifest manifest = read_manifest(file);
  if (manifest.engine != to_string(Engine::postgres)) {
    throw Error{ExitCode::usage, "'" + file.string() + "' is a backup of " + manifest.engine + ", not of PostgreSQL"};
  }
  return manifest;
}

}  // namespace

PostgresBackup::PostgresBackup(Location location, OpenOptions options)
    : m_location{std::move(location)}, m_options{std::move(options)} {}

std::filesystem::path PostgresBackup::default_folder() const {
  return state_folder() / "backups";
}

ScopeChoice PostgresBackup::choose_scope(const std::vector<TableName>& tables) {
  PostgresConnection connection{m_location, Access::read, m_options};
  const ClientTools tools{m_location, m_options, connection.server(), nullptr};
  const int server_major = connection.server().version_number / 10000;
  try {
    tools.require_version("pg_dump", server_major);
    tools.require_version("pg_restore", server_major);
  } catch (const Error& error) {
    return {.scope = BackupScope::rows, .reason = error.message(), .remedy = "install " + client_package(server_major)};
  }
  const std::vector<ListedTable> listed = with_partitions(connection, tables);
  std::int64_t bytes = 0;
  for (const ListedTable& table : listed) {
    bytes += table.bytes;
  }
  if (bytes >= k_largest_tables) {
    return {.scope = BackupScope::rows, .reason = "they have 1 GiB or more", .remedy = "--backup tables"};
  }
  const std::vector<TableName> names = names_of(listed);
  if (const std::optional<DumpObstacle> obstacle = find_dump_obstacle(connection, &names)) {
    return {.scope = BackupScope::rows, .reason = obstacle->reason, .remedy = obstacle->remedy};
  }
  return {.scope = BackupScope::tables};
}

BackupResult PostgresBackup::make(const BackupRequest& request) {
  try {
    return make_checked(request);
  } catch (const InterruptedError&) {
    throw;
  } catch (const Error& error) {
    if (error.code() == ExitCode::backup || error.code() == ExitCode::usage) {
      throw;
    }
    throw Error{ExitCode::backup, "the backup failed: " + error.message(), error.hint()};
  }
}

BackupResult PostgresBackup::make_checked(const BackupRequest& request) {
  const std::filesystem::path folder =
      std::filesystem::absolute(request.folder.empty() ? default_folder() : request.folder);
  make_private_folder(folder);
  PostgresConnection connection{m_location, Access::read, m_options};

  BackupResult result;
  BackupManifest& manifest = result.manifest;
  manifest.engine = to_string(Engine::postgres);
  manifest.scope = request.scope;
  manifest.source = m_location.display;
  manifest.identity = connection.server().identity;
  manifest.database_version = connection.server().version;
  manifest.taskctl_version = TASKCTL_VERSION;
  manifest.created = system_clock().now();
  manifest.verified = request.verify;
  manifest.automatic = request.automatic;

  PartialFile file{folder};
  write(connection, request, file.path(), manifest);
  manifest.bytes = std::filesystem::file_size(file.path());
  manifest.sha256 = sha256_file(file.path());
  check_content(file.path(), manifest, request.verify, request.stop);

  const std::filesystem::path wanted = request.name;
  if (wanted.has_parent_path()) {
    throw Error{ExitCode::usage, "the backup's name '" + request.name + "' has a folder in it",
                "Use --backup-dir for the folder."};
  }
  const std::string stem = wanted.empty()
                               ? stem_of(connection.server().database) + "_backup_" + format_compact(manifest.created)
                               : wanted.stem().string();
  const std::string usual = request.scope == BackupScope::rows ? ".sql" : ".dump";
  result.path = file.publish_as(stem, wanted.has_extension() ? wanted.extension().string() : usual);
  manifest.file = result.path.filename().string();
  try {
    write_file_durably(manifest_path(result.path), manifest_json(manifest));
  } catch (const Error&) {
    std::error_code ignored;
    std::filesystem::remove(result.path, ignored);
    throw;
  }
  return result;
}

void PostgresBackup::write(PostgresConnection& connection, const BackupRequest& request,
                           const std::filesystem::path& file, BackupManifest& manifest) const {
  Transaction snapshot{connection, Access::read};
  connection.run("SET LOCAL idle_in_transaction_session_timeout = 0");  // it waits for pg_dump
  if (request.scope == BackupScope::rows) {
    manifest.row_counts = write_rows(connection, request.rows, file);
  } else {
    dump(connection, request, file, manifest);
  }
  snapshot.commit();
}

void PostgresBackup::dump(PostgresConnection& connection, const BackupRequest& request,
                          const std::filesystem::path& file, BackupManifest& manifest) const {
  const ClientTools tools{m_location, m_options, connection.server(), request.stop};
  const int server_major = connection.server().version_number / 10000;
  tools.require_version("pg_dump", server_major);
  tools.require_version("pg_restore", server_major);

  const bool whole = request.scope == BackupScope::whole;
  const std::vector<ListedTable> tables = whole ? all_tables(connection) : with_partitions(connection, request.tables);
  require_readable(connection, whole ? nullptr : &tables);
  const std::string snapshot = text_or_empty(connection.query("SELECT pg_export_snapshot()").at(0).at(0));
  const auto lock_wait = std::chrono::ceil<std::chrono::milliseconds>(m_options.busy_wait).count();
  // zlib's lowest level takes less than half of the default's time; lz4 came with pg_dump 16.
  const bool lz4 = tools.major_version("pg_dump") >= k_first_lz4_version;
  std::vector<std::string> arguments{"pg_dump",
                                     "--format=custom",
                                     lz4 ? "--compress=lz4" : "--compress=1",
                                     "--snapshot=" + snapshot,
                                     "--no-password",
                                     fmt::format("--lock-wait-timeout={}", std::max<std::int64_t>(lock_wait, 1)),
                                     "--file=" + file.string(),
                                     "--dbname=" + tools.target()};
  if (!whole) {
    arguments.emplace_back("--strict-names");
    for (const ListedTable& table : tables) {
      arguments.push_back("--table=" + Dialect{Engine::postgres}.table(table.name));
    }
  }
  tools.run(arguments);
  manifest.row_counts = count_tables(connection, names_with_rows(tables));
}

void PostgresBackup::check_content(const std::filesystem::path& file, const BackupManifest& manifest, VerifyLevel level,
                                   const StopSource* stop) const {
  if (level == VerifyLevel::none) {
    return;
  }
  if (manifest.scope == BackupScope::rows) {
    compare_counts(file.string(), manifest.row_counts, count_rows(file));
  } else {
    const std::string contents = archive_contents(file, stop);
    for (const auto& [table, count] : manifest.row_counts) {
      if (!lists_data_of(contents, table)) {
        throw Error{ExitCode::backup, "the backup '" + file.string() + "' has no rows of '" + table + "'"};
      }
    }
  }
  if (level == VerifyLevel::restore) {
    restore_and_count(file, manifest, stop);
  }
}

void PostgresBackup::restore_and_count(const std::filesystem::path& file, const BackupManifest& manifest,
                                       const StopSource* stop) const {
  const ScratchDatabase scratch{m_location, m_options};
  const ClientTools tools{m_location, m_options, scratch.server(), stop};
  const int server_major = scratch.server().version_number / 10000;
  tools.require_version("pg_dump", server_major, "verify with '--verify open'");
  tools.require_version("pg_restore", server_major, "verify with '--verify open'");
  const std::string target = "--dbname=" + tools.target(scratch.name());
  std::vector<std::string> load{"pg_restore",      "--exit-on-error", "--no-owner",
                                "--no-privileges", "--no-password",   target};
  if (manifest.scope == BackupScope::whole) {
    load.push_back(file.string());
    tools.run(load);
  } else {
    // Types and tables that the rows need come from the database itself; indexes and foreign keys do not matter here.
    const PartialFile schema{std::filesystem::temp_directory_path()};
    tools.run({"pg_dump", "--format=custom", "--schema-only", "--section=pre-data", "--no-password",
               "--file=" + schema.path().string(), "--dbname=" + tools.target()});
    std::vector<std::string> prepare = load;
    prepare.push_back(schema.path().string());
    tools.run(prepare);
    if (manifest.scope == BackupScope::rows) {
      tools.run({"psql", "--no-psqlrc", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1", target,
                 "--file=" + file.string()});
    } else {
      load.insert(load.end(), {"--data-only", file.string()});
      tools.run(load);
    }
  }
  PostgresConnection connection{other_database(m_location, scratch.server(), scratch.name()), Access::read, m_options};
  std::vector<TableName> tables;
  for (const auto& [display, count] : manifest.row_counts) {
    const std::size_t dot = display.find('.');
    tables.push_back({display.substr(0, dot), display.substr(dot + 1)});
  }
  compare_counts(file.string(), manifest.row_counts, count_tables(connection, tables));
}

void PostgresBackup::verify(const std::filesystem::path& file, VerifyLevel level) {
  const BackupManifest manifest = read_own_manifest(file);
  std::error_code missing;
  const std::uintmax_t bytes = std::filesystem::file_size(file, missing);
  if (missing) {
    throw Error{ExitCode::backup, "the backup '" + file.string() + "' cannot be read: " + missing.message()};
  }
  if (bytes != manifest.bytes) {
    throw Error{ExitCode::backup, fmt::format("the backup '{}' has {} bytes, its manifest says {}", file.string(),
                                              bytes, manifest.bytes)};
  }
  if (sha256_file(file) != manifest.sha256) {
    throw Error{ExitCode::backup, "the backup '" + file.string() + "' is not what its manifest says: SHA-256 differs"};
  }
  check_content(file, manifest, level, nullptr);
}

void PostgresBackup::restore(const std::filesystem::path& file, const std::string& to) {
  const BackupManifest manifest = read_own_manifest(file);
  const std::string path = shell_quoted(std::filesystem::absolute(file).string());
  const std::string database = shell_quoted(to);
  std::string recipe;
  switch (manifest.scope) {
    case BackupScope::whole:
      recipe =
          fmt::format("createdb --template=template0 {0} && pg_restore --exit-on-error --no-owner --dbname={0} {1}",
                      database, path);
      break;
    case BackupScope::tables:
      recipe = fmt::format("pg_restore --exit-on-error --no-owner --data-only --dbname={} {}", database, path);
      break;
    case BackupScope::rows:
      recipe = fmt::format("psql --no-psqlrc --dbname={} --file={}", database, path);
      break;
  }
  throw Error{ExitCode::usage, "PostgreSQL backups are restored with PostgreSQL's own tools", "Run: " + recipe};
}

}  // namespace taskctl::postgres
