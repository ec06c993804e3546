#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "model/policy.hpp"
#include "model/selector.hpp"
#include "view/format.hpp"

namespace taskctl {

/// Options shared by commands: each struct has declare (only declarations, nothing is opened) and its values.
/// Values are checked by validators while parsing, so that a bad one ends in `usage` before anything is opened.

/// --db --profile --target --config --now --password-file --journal-schema --lock-timeout --accept-hazard
struct TargetOptions {
  std::string db, profile, target, config, password_file, journal_schema;
  std::string now;  ///< RFC 3339 text, validated
  std::vector<std::string> accept_hazards;
  std::optional<Duration> lock_timeout;
  std::string alive_from;  ///< --alive-from, of the commands that judge who is alive
  void declare(CLI::App& app);
  void declare_alive_from(CLI::App& app);
  /// What was given of --target, --db, --config and --profile, for a command to type next: " --db tasks.db". No
  /// secrets.
  [[nodiscard]] std::string words() const;
};

/// --output --quiet --color
struct OutputOptions {
  OutputFormat format = OutputFormat::table;
  bool quiet = false;
  std::string colour = "auto";  ///< auto, always, never
  std::vector<OutputFormat> allowed = {OutputFormat::table, OutputFormat::json};
  void declare(CLI::App& app);
};

/// --id --worker --kind --queue --user --status --rule --certainty, repeatable
struct SelectorOptions {
  Selector selector;
  void declare(CLI::App& app);
  /// Only what is said of the task itself: --worker --kind --queue --user --status
  void declare_attributes(CLI::App& app);
};

/// --max-age
struct AgeOptions {
  std::optional<Duration> max_age;
  /// `what` an age does here.
  void declare(CLI::App& app, const std::string& what = "older active tasks of unknown liveness are stuck");
};

/// --dry-run --yes --reason --backup/--no-backup --backup-dir --batch-size --max-changes --lock-wait --reconnect-wait --confirm
struct ChangeOptions {
  bool dry_run = false, yes = false;
  std::string reason, backup = "auto", backup_folder, confirm;
  bool no_backup = false;
  std::optional<std::size_t> batch_size, max_changes;
  std::optional<Duration> lock_wait;
  std::optional<Duration> reconnect_wait;
  std::optional<Duration> max_stall;
  // How a repair is paced, and what ends it early.
  Duration sleep{};
  std::optional<Duration> max_runtime;
  std::string stop_file;
  void declare(CLI::App& app, bool with_backup);
};

/// Declares an option whose text goes through `parse` (which throws Error{usage}); repeated scalars are an error.
CLI::Option* add_parsed(CLI::App& app, const std::string& name, const std::string& description,
                        std::function<void(const std::string&)> parse);

/// Like add_parsed, but may be given several times: `parse` gets one text after the other.
CLI::Option* add_repeated(CLI::App& app, const std::string& name, const std::string& description,
                          std::function<void(const std::string&)> parse);

/// An option that takes one of `choices`, which completion offers; `take` gets the chosen one. Anything else throws
/// Error{usage} that calls it an unknown `noun`.
CLI::Option* add_choice(CLI::App& app, const std::string& name, const std::string& noun, const std::string& description,
                        const std::vector<std::string>& choices, std::function<void(const std::string&)> take);

/// Throws Error{usage} that says which `noun` is unknown, the nearest choice, and all of them.
[[noreturn]] void throw_unknown_choice(const std::string& noun, const std::string& text,
                                       const std::vector<std::string>& choices);

/// Strict decimal count: digits only, no leading zero, at most 1,000,000,000. Throws Error{usage} naming `option`.
std::size_t parse_count(const std::string& text, const std::string& option);

}  // namespace taskctl
