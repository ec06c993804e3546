#include "commands/config/config.hpp"

#include <fmt/format.h>

#include "base/duration.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "view/json.hpp"
#include "view/table_writer.hpp"

namespace taskctl {

namespace {

struct Line {
  std::string name, value, origin;
};

std::string text_of(const Setting<std::optional<Duration>>& setting) {
  return setting.value ? format_duration(*setting.value) : "-";
}

std::vector<Line> lines_of(const TargetConfig& target) {
  return {
      {"target", target.name.empty() ? "-" : target.name, target.name.empty() ? "default" : target.db.origin},
      {"db", target.db.value.empty() ? "-" : redact(target.db.value), target.db.origin},
      {"profile", target.profile.value.empty() ? "chosen automatically" : target.profile.value, target.profile.origin},
      {"password_file", target.password_file.value.empty() ? "-" : target.password_file.value,
       target.password_file.origin},
      {"backup_dir", target.backup_folder.value.empty() ? "-" : target.backup_folder.value,
       target.backup_folder.origin},
      {"journal_schema", target.journal_schema.value.empty() ? "taskctl" : target.journal_schema.value,
       target.journal_schema.origin},
      {"max_age", text_of(target.max_age), target.max_age.origin},
      {"reap", text_of(target.reap), target.reap.origin},
      {"settle", text_of(target.settle), target.settle.origin},
      {"cancel_grace", text_of(target.cancel_grace), target.cancel_grace.origin},
      {"max_changes", target.max_changes.value ? fmt::to_string(*target.max_changes.value) : "-",
       target.max_changes.origin},
      {"protected", target.is_protected.value ? "true" : "false", target.is_protected.origin},
  };
}

}  // namespace

void declare_config(CLI::App& app, ConfigOptions& options) {
  options.target.declare(app);
  options.output.declare(app);
  app.require_subcommand(1, 1);
  app.add_subcommand("show", "print each value with its origin")->fallthrough();
}

int run_config(Context& context, const ConfigOptions& options) {
  const ResolvedConfig config = resolve_config(options.target, false);
  Streams& streams = context.streams();
  if (options.output.format == OutputFormat::json) {
    Json settings = Json::object();
    for (const Line& line : lines_of(config.target)) {
      settings[line.name] = {{"value", line.value}, {"origin", line.origin}};
    }
    Json targets = Json::array();
    for (const auto& [name, target] : config.targets) {
      targets.push_back({{"name", name}, {"db", redact(target.db.value)}, {"protected", target.is_protected.value}});
    }
    streams.line(dump_pretty({{"schema", "taskctl.config/1"},
                              {"settings", settings},
                              {"targets", targets},
                              {"files", config.files},
                              {"ignored", config.ignored}}));
    return static_cast<int>(ExitCode::ok);
  }
  TableWriter table{
      {{.title = "SETTING"}, {.title = "VALUE", .shrinkable = true}, {.title = "FROM", .shrinkable = true}}};
  for (const Line& line : lines_of(config.target)) {
    table.row({line.name, line.value, line.origin});
  }
  table.write(streams);
  for (const auto& [name, target] : config.targets) {
    streams.line(
        fmt::format("target {}{}: {}", name, target.is_protected.value ? " (protected)" : "", redact(target.db.value)));
  }
  for (const std::string& file : config.files) {
    streams.line("read " + file);
  }
  for (const std::string& file : config.ignored) {
    streams.line("ignored " + file);
  }
  return static_cast<int>(ExitCode::ok);
}

}  // namespace taskctl
