#include "cli/config.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/environment.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "cli/config_file.hpp"
#include "cli/owned_file.hpp"
#include "store/location.hpp"

namespace taskctl {

namespace {

constexpr const char* k_local_file = "./taskctl.toml";
constexpr const char* k_system_file = "/etc/taskctl/config.toml";
constexpr std::string_view k_command_line = "command line";

/// The first that is given: the option, else the variable.
Setting<std::string> option_or_variable(const std::string& option, const char* variable) {
  if (!option.empty()) {
    return {option, std::string{k_command_line}};
  }
  if (const auto value = environment(variable)) {
    return {*value, variable};
  }
  return {};
}

template <typename T>
void fill(Setting<T>& setting, const Setting<T>& lower) {
  if (!setting.given()) {
    setting = lower;
  }
}

// Key by key: what a file of higher precedence leaves open, a lower one may say.
void fill(TargetConfig& target, const TargetConfig& lower) {
  fill(target.db, lower.db);
  fill(target.profile, lower.profile);
  fill(target.password_file, lower.password_file);
  fill(target.backup_folder, lower.backup_folder);
  fill(target.journal_schema, lower.journal_schema);
  fill(target.max_age, lower.max_age);
  fill(target.reap, lower.reap);
  fill(target.settle, lower.settle);
  fill(target.cancel_grace, lower.cancel_grace);
  fill(target.max_changes, lower.max_changes);
  fill(target.is_protected, lower.is_protected);
}

/// The files, read in order of precedence.
class Files {
 public:
  explicit Files(ResolvedConfig& config) : m_config{config} {}

  void read_named(const Setting<std::string>& named) {
    const OwnedFile file = read_owned_file(named.value);
    if (file.error != 0) {
      throw Error{ExitCode::usage, fmt::format("configuration file '{}' ({}): {}", named.value, named.origin,
                                               std::strerror(file.error))};
    }
    take(file, named.value);
  }

  void read_usual() {
    read_local();
    read_trusted((config_folder() / "config.toml").string());
    read_trusted(k_system_file);
  }

  [[nodiscard]] const Setting<std::string>& default_target() const { return m_default_target; }

 private:
  // A folder that somebody else filled must not decide which database is repaired.
  void read_local() {
    const OwnedFile file = read_owned_file(k_local_file);
    if (file.error == ENOENT) {
      return;
    }
    if (!current_author().sudo_user.empty()) {
      ignore(k_local_file, "never read under sudo");
    } else if (file.error != 0) {
      ignore(k_local_file, std::strerror(file.error));
    } else if (!file.owned_by_caller()) {
      ignore(k_local_file, "owned by another user");
    } else if (file.writable_by_others()) {
      ignore(k_local_file, "writable by group or others");
    } else {
      take(file, k_local_file);
    }
  }

  void read_trusted(const std::string& path) {
    const OwnedFile file = read_owned_file(path);
    if (file.error == 0) {
      take(file, path);
    } else if (file.error != ENOENT && file.error != ENOTDIR) {
      ignore(path, std::strerror(file.error));
    }
  }

  void take(const OwnedFile& file, const std::string& path) {
    const ConfigFile read = parse_config_file(file, path);
    m_config.files.push_back(path);
    fill(m_default_target, read.default_target);
    for (const auto& [name, target] : read.targets) {
      TargetConfig& known = m_config.targets[name];
      known.name = name;
      fill(known, target);
    }
  }

  void ignore(const std::string& path, const std::string& reason) { m_config.ignored.push_back(path + ": " + reason); }

  ResolvedConfig& m_config;
  Setting<std::string> m_default_target;
};

TargetConfig named_target(const ResolvedConfig& config, const Setting<std::string>& name) {
  if (const auto found = config.targets.find(name.value); found != config.targets.end()) {
    return found->second;
  }
  std::vector<std::string> names;
  for (const auto& [known, target] : config.targets) {
    names.push_back(known);
  }
  const std::string near = nearest(name.value, names);
  std::string hint =
      names.empty() ? "No configuration file defines a target." : fmt::format("Targets are {}.", join(names, ", "));
  if (!near.empty()) {
    hint = fmt::format("Did you mean '{}'? ", near) + hint;
  }
  if (!config.ignored.empty()) {
    hint += fmt::format(" Not read: {}.", join(config.ignored, "; "));
  }
  throw Error{ExitCode::usage, fmt::format("unknown target '{}' ({})", name.value, name.origin), hint};
}

void refuse_password(const std::string& db) {
  if (parse_location(db).has_password) {
    throw Error{ExitCode::usage,
                "option '--db' holds a password, and everybody on this machine can read a command line",
                "Leave it out and use ~/.pgpass, PGPASSWORD or --password-file FILE."};
  }
}

/// A place is named as a database or as a target, never as both by the same source.
struct Place {
  Setting<std::string> db, target;
  [[nodiscard]] bool given() const { return db.given() || target.given(); }
};

// The highest source that names a place decides it alone: TASKCTL_DB must not redirect what --target names.
Place choose_place(const TargetOptions& options, const Files& files, bool writes) {
  Place place;
  if (!options.db.empty()) {
    place.db = {options.db, std::string{k_command_line}};
  }
  if (!options.target.empty()) {
    place.target = {options.target, std::string{k_command_line}};
  }
  if (place.given()) {
    return place;
  }
  place.db = option_or_variable({}, "TASKCTL_DB");
  place.target = option_or_variable({}, "TASKCTL_TARGET");
  if (place.given()) {
    return place;
  }
  place.target = files.default_target();
  if (!place.given() && !writes) {
    place.db = option_or_variable({}, "DATABASE_URL");
  }
  return place;
}

}  // namespace

ResolvedConfig resolve_config(const TargetOptions& options, bool writes) {
  ResolvedConfig config;
  Files files{config};
  const Setting<std::string> named_file = option_or_variable(options.config, "TASKCTL_CONFIG");
  if (named_file.given()) {
    files.read_named(named_file);
  } else {
    files.read_usual();
  }
  const Place place = choose_place(options, files, writes);
  if (place.db.given() && place.target.given()) {
    throw Error{ExitCode::usage,
                fmt::format("a database and a target are both named ({}), and they may differ", place.db.origin),
                "Give either --db or --target."};
  }
  if (place.target.given()) {
    config.target = named_target(config, place.target);
  } else {
    config.target.db = place.db;
  }
  if (!options.db.empty()) {
    refuse_password(options.db);
  }
  const auto override_with = [](Setting<std::string>& setting, Setting<std::string> higher) {
    if (higher.given()) {
      setting = std::move(higher);
    }
  };
  override_with(config.target.profile, option_or_variable(options.profile, "TASKCTL_PROFILE"));
  override_with(config.target.password_file, option_or_variable(options.password_file, "TASKCTL_PASSWORD_FILE"));
  override_with(config.target.journal_schema, option_or_variable(options.journal_schema, "TASKCTL_JOURNAL_SCHEMA"));
  return config;
}

}  // namespace taskctl
