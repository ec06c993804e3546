#include "commands/shared/repair_backup.hpp"

#include <map>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/file.hpp"

namespace taskctl {

namespace {

constexpr std::size_t k_automatic_kept = 7;

std::vector<std::pair<TableName, std::vector<RowKey>>> rows_of(const Plan& plan) {
  std::map<TableName, std::vector<RowKey>> rows;
  plan.for_each([&](std::size_t, const PlanUnit& unit) {
    for (const Change& change : unit.changes) {
      if (change.operation != Operation::insert) {
        rows[change.table].push_back(change.key);
      }
    }
  });
  return {rows.begin(), rows.end()};
}

ScopeChoice scope_of(BackupDriver& driver, const Plan& plan, Engine engine, const std::string& wanted) {
  if (engine == Engine::sqlite) {
    return {.scope = BackupScope::whole};
  }
  if (wanted == "tables") {
    return {.scope = BackupScope::tables};
  }
  return wanted == "rows" ? ScopeChoice{.scope = BackupScope::rows} : driver.choose_scope(plan.tables());
}

}  // namespace

void require_backup_folder(const std::filesystem::path& folder) {
  std::error_code error;
  const std::filesystem::path parent = folder.has_parent_path() ? folder.parent_path() : std::filesystem::path{"."};
  if (!std::filesystem::exists(folder, error) && std::filesystem::is_directory(parent, error)) {
    make_private_folder(folder);
  }
}

std::optional<BackupResult> back_up_before_repair(Context& context, Session& session, const Plan& plan,
                                                  const TargetOptions& target, const ChangeOptions& change) {
  if (change.no_backup || change.backup == "none") {
    return std::nullopt;
  }
  const Engine engine = session.connection->engine();
  const std::unique_ptr<BackupDriver> driver =
      context.drivers().of(engine).backup(session.location, context.open_options(target, session.config));
  const ScopeChoice choice = scope_of(*driver, plan, engine, change.backup);
  if (!choice.reason.empty()) {
    context.streams().talk(fmt::format("only the rows are backed up, not the tables: {}; to allow the tables: {}",
                                       choice.reason, choice.remedy));
  }
  BackupRequest request{.scope = choice.scope,
                        .verify = VerifyLevel::open,
                        .automatic = true,
                        .tables = plan.tables(),
                        .stop = &context.stop()};
  const Setting<std::string>& configured = session.config.target.backup_folder;
  request.folder = driver->default_folder();
  if (!change.backup_folder.empty()) {
    request.folder = change.backup_folder;
  } else if (configured.given()) {
    request.folder = configured.value;
  }
  require_backup_folder(request.folder);
  if (change.max_stall) {
    request.max_stall = *change.max_stall;
  }
  if (request.scope == BackupScope::rows) {
    request.rows = rows_of(plan);
  }
  BackupResult made = driver->make(request);
  prune_backups(request.folder, session.connection->server().identity, {.keep = k_automatic_kept},
                context.clock().now());
  return made;
}

}  // namespace taskctl
