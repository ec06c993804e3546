#include "commands/backup/backup.hpp"

#include <fmt/format.h>

#include "base/duration.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "base/text.hpp"
#include "base/timestamp.hpp"
#include "cli/app.hpp"
#include "commands/shared/repair_backup.hpp"
#include "view/json.hpp"
#include "view/table_writer.hpp"

namespace taskctl {

namespace {

std::unique_ptr<BackupDriver> driver_of(Context& context, const BackupOptions& options, ResolvedConfig* config) {
  auto [location, resolved] = context.locate(options.target, false);
  OpenOptions open = context.open_options(options.target, resolved);
  if (config != nullptr) {
    *config = std::move(resolved);
  }
  return context.drivers().of(location.engine).backup(location, open);
}

std::filesystem::path folder_of(const BackupOptions& options, const ResolvedConfig& config, BackupDriver& driver) {
  if (!options.folder.empty()) {
    return options.folder;
  }
  const Setting<std::string>& configured = config.target.backup_folder;
  return configured.given() ? std::filesystem::path{configured.value} : driver.default_folder();
}

Json manifest_summary(const std::filesystem::path& path, const BackupManifest& manifest) {
  Json rows = Json::object();
  for (const auto& [table, count] : manifest.row_counts) {
    rows[table] = count;
  }
  return {{"path", path.string()},
          {"engine", manifest.engine},
          {"scope", to_string(manifest.scope)},
          {"created", format_instant(manifest.created)},
          {"bytes", manifest.bytes},
          {"sha256", manifest.sha256},
          {"verified", to_string(manifest.verified)},
          {"automatic", manifest.automatic},
          {"row_counts", rows}};
}

int make_backup(Context& context, const BackupOptions& options) {
  ResolvedConfig config;
  const std::unique_ptr<BackupDriver> driver = driver_of(context, options, &config);
  BackupRequest request{.folder = folder_of(options, config, *driver),
                        .name = options.name,
                        .verify = options.verify.value_or(VerifyLevel::open),
                        .stop = &context.stop()};
  if (options.max_stall) {
    request.max_stall = *options.max_stall;
  }
  require_backup_folder(request.folder);
  const BackupResult made = driver->make(request);
  std::vector<std::filesystem::path> removed;
  if (options.keep || options.keep_within) {
    removed = prune_backups(request.folder, made.manifest.identity,
                            {.keep = options.keep, .keep_within = options.keep_within, .automatic_only = false},
                            context.clock().now());
  }
  Streams& streams = context.streams();
  if (options.output.format == OutputFormat::json) {
    Json json{{"schema", "taskctl.backup/1"}, {"backup", manifest_summary(made.path, made.manifest)}};
    json["removed"] = Json::array();
    for (const std::filesystem::path& path : removed) {
      json["removed"].push_back(path.string());
    }
    streams.line(dump_pretty(json));
    return static_cast<int>(ExitCode::ok);
  }
  if (!streams.options().quiet) {
    streams.line(made.path.string());
  }
  streams.talk(fmt::format("{} bytes, {} tables, verified: {}, sha256 {}", made.manifest.bytes,
                           made.manifest.row_counts.size(), to_string(made.manifest.verified), made.manifest.sha256));
  for (const std::filesystem::path& path : removed) {
    streams.talk("removed by retention: " + path.string());
  }
  return static_cast<int>(ExitCode::ok);
}

int list_all(Context& context, const BackupOptions& options) {
  ResolvedConfig config;
  std::filesystem::path folder = options.folder;
  std::vector<BackupListing> listings;
  if (folder.empty()) {
    const std::unique_ptr<BackupDriver> driver = driver_of(context, options, &config);
    folder = folder_of(options, config, *driver);
    // The usual place is made with the first backup; only a folder that was asked for has to be there.
    std::error_code unreadable;
    if (std::filesystem::exists(folder, unreadable) || unreadable) {
      listings = list_backups(folder);
    }
  } else {
    listings = list_backups(folder);
  }
  bool problem = false;
  Json list = Json::array();
  TableWriter table{{{.title = "CREATED"},
                     {.title = "SCOPE"},
                     {.title = "BYTES", .right = true},
                     {.title = "VERIFIED"},
                     {.title = "FILE"},
                     {.title = "PROBLEM", .shrinkable = true}}};
  for (const BackupListing& listing : listings) {
    problem = problem || !listing.problem.empty();
    Json json =
        listing.manifest ? manifest_summary(listing.path, *listing.manifest) : Json{{"path", listing.path.string()}};
    json["problem"] = listing.problem.empty() ? Json() : Json(listing.problem);
    list.push_back(json);
    const BackupManifest manifest = listing.manifest.value_or(BackupManifest{});
    table.row({listing.manifest ? format_instant(manifest.created) : "-",
               listing.manifest ? std::string{to_string(manifest.scope)} : "-",
               listing.manifest ? fmt::to_string(manifest.bytes) : "-",
               listing.manifest ? std::string{to_string(manifest.verified)} : "-", listing.path.filename().string(),
               listing.problem});
  }
  Streams& streams = context.streams();
  if (options.output.format == OutputFormat::json) {
    streams.line(dump_pretty({{"schema", "taskctl.backup-list/1"}, {"folder", folder.string()}, {"backups", list}}));
  } else {
    table.write(streams);
    streams.line(fmt::format("{} backups in {}", listings.size(), folder.string()));
  }
  return static_cast<int>(problem ? ExitCode::backup : ExitCode::ok);
}

/// Which kind of database a backup is of stands in its manifest, so that verify needs no --db.
std::unique_ptr<BackupDriver> driver_of_file(Context& context, const BackupOptions& options, const std::string& file) {
  if (!options.target.db.empty() || !options.target.target.empty()) {
    return driver_of(context, options, nullptr);
  }
  const BackupManifest manifest = read_manifest(file);
  if (manifest.engine == "sqlite") {
    return context.drivers().sqlite.backup(parse_location("sqlite:" + file), {});
  }
  const VerifyLevel level = options.verify.value_or(VerifyLevel::open);
  if (options.action == BackupOptions::Action::verify && level != VerifyLevel::restore) {
    return context.drivers().postgres.backup(parse_location("postgresql://"), {});
  }
  return driver_of(context, options, nullptr);
}

int verify_file(Context& context, const BackupOptions& options) {
  const std::string file = unshield(options.file);
  const VerifyLevel level = options.verify.value_or(VerifyLevel::open);
  driver_of_file(context, options, file)->verify(file, level);
  if (options.output.format == OutputFormat::json) {
    context.streams().line(dump_pretty(
        {{"schema", "taskctl.backup-verify/1"}, {"path", file}, {"verified", to_string(level)}, {"ok", true}}));
  } else {
    context.streams().line(fmt::format("{}: fine (verified: {})", file, to_string(level)));
  }
  return static_cast<int>(ExitCode::ok);
}

int restore_file(Context& context, const BackupOptions& options) {
  const std::string file = unshield(options.file);
  const std::string to = unshield(options.to);
  driver_of_file(context, options, file)->restore(file, to);
  if (options.output.format == OutputFormat::json) {
    context.streams().line(dump_pretty({{"schema", "taskctl.backup-restore/1"}, {"path", file}, {"restored_to", to}}));
  } else {
    context.streams().line(fmt::format("restored {} to {}", file, to));
  }
  return static_cast<int>(ExitCode::ok);
}

void declare_actions(CLI::App& app, BackupOptions& options) {
  using Action = BackupOptions::Action;
  const auto action = [&](const char* name, const char* description, Action value) {
    CLI::App* sub = app.add_subcommand(name, description)->fallthrough();
    // Set when parsing has finished; nothing is run from here.
    sub->parse_complete_callback([&options, value] { options.action = value; });
    return sub;
  };
  action("list", "list the backups of the target, with what is wrong with them", Action::list);
  CLI::App* verify = action("verify", "check a backup against its manifest and by opening it", Action::verify);
  verify->add_option("FILE", options.file)->description("the backup")->required();
  CLI::App* restore = action("restore", "make a new database from a backup", Action::restore);
  restore->add_option("FILE", options.file)->description("the backup")->required();
  restore->add_option("--to", options.to)
      ->description("the new database; must not exist")
      ->required()
      ->type_name("NEW");
}

}  // namespace

void declare_backup(CLI::App& app, BackupOptions& options) {
  options.target.declare(app);
  options.output.declare(app);
  app.add_option("--backup-dir", options.folder)->description("folder of the backups")->type_name("DIR");
  app.add_option("--name", options.name)->description("name of the copy; never overwrites")->type_name("NAME");
  add_choice(app, "--verify", "level", "how the copy is checked: open (default), restore or none",
             {"none", "open", "restore"},
             [&options](const std::string& text) { options.verify = parse_verify_level(text); })
      ->type_name("LEVEL");
  add_parsed(app, "--keep", "afterwards keep only this many, the newest", [&options](const std::string& text) {
    options.keep = parse_count(text, "--keep");
  })->type_name("N");
  add_parsed(app, "--keep-within", "afterwards remove those older than this", [&options](const std::string& text) {
    options.keep_within = parse_duration(text, BareNumber::refused, "--keep-within");
  })->type_name("DURATION");
  add_parsed(app, "--max-stall", "refuse when writers would wait longer than this (default 2s)",
             [&options](const std::string& text) {
               options.max_stall = parse_duration(text, BareNumber::refused, "--max-stall");
             })
      ->type_name("DURATION");
  app.require_subcommand(0, 1);
  declare_actions(app, options);
}

int run_backup(Context& context, const BackupOptions& options) {
  switch (options.action) {
    case BackupOptions::Action::list:
      return list_all(context, options);
    case BackupOptions::Action::verify:
      return verify_file(context, options);
    case BackupOptions::Action::restore:
      return restore_file(context, options);
    case BackupOptions::Action::make:
      break;
  }
  return make_backup(context, options);
}

}  // namespace taskctl
