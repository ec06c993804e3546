#include "commands/profile/profile.hpp"

#include <map>
#include <set>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/text.hpp"
#include "cli/app.hpp"
#include "engine/planner_parts.hpp"
#include "engine/profile_choice.hpp"
#include "profile/profile_reader.hpp"
#include "view/json.hpp"
#include "view/table_writer.hpp"

namespace taskctl {

namespace {

/// Of all variants together.
std::string engines_of(const std::vector<Profile>& variants) {
  std::set<Engine> engines;
  for (const Profile& profile : variants) {
    engines.insert(profile.engines.begin(), profile.engines.end());
  }
  std::vector<std::string> names;
  for (const Engine engine : engines) {
    names.emplace_back(to_string(engine));
  }
  return join(names, ", ");
}

int list_profiles(Streams& streams, OutputFormat format) {
  Json list = Json::array();
  TableWriter table{
      {{.title = "NAME"}, {.title = "ENGINES"}, {.title = "SAFETY"}, {.title = "SUMMARY", .shrinkable = true}}};
  for (const std::string& name : builtin_profile_names()) {
    const std::vector<Profile> variants = find_profiles(name);
    const Profile& profile = variants.front();
    list.push_back({{"name", name},
                    {"engines", engines_of(variants)},
                    {"safety", to_string(profile.safety)},
                    {"summary", profile.summary}});
    table.row({name, engines_of(variants), std::string{to_string(profile.safety)}, profile.summary});
  }
  if (format == OutputFormat::json) {
    streams.line(dump_pretty({{"schema", "taskctl.profile-list/1"}, {"profiles", list}}));
  } else {
    table.write(streams);
  }
  return static_cast<int>(ExitCode::ok);
}

int show_profile(Streams& streams, const std::string& name, OutputFormat format) {
  const Profile profile = find_profile(name);
  const std::string text =
      profile.file == "built-in" ? std::string{builtin_profile_text(profile.name)} : read_file(profile.file);
  if (format == OutputFormat::json) {
    streams.line(dump_pretty(
        {{"schema", "taskctl.profile-show/1"}, {"profile", profile.name}, {"file", profile.file}, {"text", text}}));
  } else {
    streams.out(text);
  }
  return static_cast<int>(ExitCode::ok);
}

void print_lines(Streams& streams, std::string_view title, const std::vector<std::string>& lines) {
  if (lines.empty()) {
    return;
  }
  streams.line(title);
  for (const std::string& line : lines) {
    streams.line("  " + printable(line));
  }
}

/// Rows per class, in the order of the classes; "not mapped" last.
std::vector<std::pair<std::string, std::int64_t>> class_counts(const ProfileCheck& check) {
  std::vector<std::pair<std::string, std::int64_t>> counts;
  const auto add = [&](const std::string& name, const std::optional<TaskClass>& task_class) {
    std::int64_t rows = 0;
    for (const StatusCount& status : check.statuses) {
      rows += status.task_class == task_class ? status.count : 0;
    }
    if (rows > 0) {
      counts.emplace_back(name, rows);
    }
  };
  for (const TaskClass task_class : k_task_classes) {
    add(std::string{to_string(task_class)}, task_class);
  }
  add("not mapped", std::nullopt);
  return counts;
}

void print_found(Streams& streams, const ProfileCheck& check) {
  std::vector<std::string> classes;
  for (const auto& [name, rows] : class_counts(check)) {
    classes.push_back(fmt::format("{} {}", name, rows));
  }
  if (!classes.empty()) {
    streams.line("classes: " + join(classes, ", "));
  }
  if (const std::vector<std::string> unmapped = unmapped_statuses(check.statuses); !unmapped.empty()) {
    streams.line(
        fmt::format("not mapped: {}; nothing is written while rows like this are there", join(unmapped, ", ")));
  }
  if (!check.found) {
    return;
  }
  const ListSummary& found = *check.found;
  std::vector<std::string> rules;
  for (const auto& [rule, count] : found.by_rule) {
    rules.push_back(fmt::format("{} {}", to_string(rule), count));
  }
  streams.line(fmt::format("stuck: {}{}; fine: {}", found.stuck, rules.empty() ? "" : " (" + join(rules, ", ") + ")",
                           found.fine));
}

void print_check(Streams& streams, const Profile& profile, const ProfileCheck& check) {
  streams.line(fmt::format("profile {} ({}), safety {}", profile.title(), profile.file, to_string(profile.safety)));
  std::vector<std::string> problems;
  for (const SchemaProblem& problem : check.problems) {
    problems.push_back(problem.where + ": " + problem.text);
  }
  print_lines(streams, "does not fit:", problems);
  if (problems.empty()) {
    streams.line("fits: every table and column is there");
  }
  if (profile.version && problems.empty()) {
    const std::string version = check.version.text.value_or("told by its columns");
    streams.line(check.version.known() ? "version: " + printable(version) + ", which this profile knows"
                                       : "version: not known, so nothing is written: " + check.version.problem);
  }
  TableWriter readings{
      {{.title = "PROPERTY"}, {.title = "READ-FROM", .shrinkable = true}, {.title = "AS", .shrinkable = true}}};
  for (const ProfileCheck::Reading& reading : check.readings) {
    readings.row({reading.property, reading.source, reading.encoding});
  }
  readings.write(streams);
  TableWriter statuses{{{.title = "STATUS", .shrinkable = true}, {.title = "CLASS"}, {.title = "ROWS", .right = true}}};
  for (const StatusCount& status : check.statuses) {
    statuses.row(
        {status.status.value_or("NULL"), status.task_class ? std::string{to_string(*status.task_class)} : "not mapped",
         fmt::to_string(status.count)},
        status.task_class ? Style::plain : Style::yellow);
  }
  statuses.write(streams);
  print_found(streams, check);
  print_lines(streams, "missing privileges:", check.missing_privileges);
  print_lines(streams, "row-level security hides rows of:", check.row_security);
  print_lines(streams, "triggers:", check.triggers);
  if (!check.note.empty()) {
    streams.line(check.note);
  }
}

Json check_json(const Session& session, const Profile& profile, const ProfileCheck& check) {
  Json json{{"schema", "taskctl.profile-check/1"}, {"profile", profile.name}, {"file", profile.file}};
  json["target"] = session.target_name();
  json["fits"] = check.problems.empty();
  json["problems"] = Json::array();
  for (const SchemaProblem& problem : check.problems) {
    json["problems"].push_back({{"where", problem.where}, {"text", problem.text}});
  }
  json["version"] = check.version.text ? Json(*check.version.text) : Json();
  json["version_known"] = check.version.known();
  json["version_problem"] = check.version.problem;
  json["readings"] = Json::array();
  for (const ProfileCheck::Reading& reading : check.readings) {
    json["readings"].push_back(
        {{"property", reading.property}, {"source", reading.source}, {"encoding", reading.encoding}});
  }
  json["statuses"] = Json::array();
  for (const StatusCount& status : check.statuses) {
    json["statuses"].push_back({{"status", status.status ? Json(*status.status) : Json()},
                                {"class", status.task_class ? Json(to_string(*status.task_class)) : Json()},
                                {"count", status.count}});
  }
  json["classes"] = Json::object();
  for (const auto& [name, rows] : class_counts(check)) {
    json["classes"][name == "not mapped" ? "unmapped" : name] = rows;
  }
  json["stuck"] = check.found ? Json(check.found->stuck) : Json();
  json["stuck_by_rule"] = Json::object();
  for (const auto& [rule, count] : check.found ? check.found->by_rule : std::map<Rule, std::int64_t>{}) {
    json["stuck_by_rule"][std::string{to_string(rule)}] = count;
  }
  json["missing_privileges"] = check.missing_privileges;
  json["row_security"] = check.row_security;
  json["triggers"] = check.triggers;
  json["note"] = check.note;
  return json;
}

int check_live(Context& context, const ProfileOptions& options) {
  const std::unique_ptr<Session> session = context.open_unchecked(options.target);
  const ProfileCheck check =
      check_profile(*session->connection, session->profile,
                    {.selector = {}, .policy = session->policy, .now = session->now}, session->sightings.get());
  Streams& streams = context.streams();
  if (options.output.format == OutputFormat::json) {
    streams.line(dump_pretty(check_json(*session, session->profile, check)));
  } else {
    print_check(streams, session->profile, check);
  }
  return static_cast<int>(check.problems.empty() ? ExitCode::ok : ExitCode::mismatch);
}

}  // namespace

void declare_profile(CLI::App& app, ProfileOptions& options) {
  using Action = ProfileOptions::Action;
  options.target.declare(app);
  options.output.declare(app);
  app.require_subcommand(1, 1);
  const auto action = [&](const char* name, const char* description, Action value) {
    CLI::App* sub = app.add_subcommand(name, description)->fallthrough();
    sub->parse_complete_callback([&options, value] { options.action = value; });
    return sub;
  };
  action("list", "list the profiles that are built in", Action::list);
  CLI::App* show = action("show", "print a profile", Action::show);
  show->add_option("PROFILE", options.name)->description("a built-in profile, or a file")->required();
  action("check", "does the profile fit the live schema, and what would be read as what?", Action::check);
  declare_profile_init(
      *action("init", "write a profile for a queue that nobody knows, from what is in the database", Action::init),
      options.init);
}

int run_profile(Context& context, const ProfileOptions& options) {
  switch (options.action) {
    case ProfileOptions::Action::show:
      return show_profile(context.streams(), unshield(options.name), options.output.format);
    case ProfileOptions::Action::check:
      return check_live(context, options);
    case ProfileOptions::Action::init:
      return run_profile_init(context, options.target, options.output, options.init);
    case ProfileOptions::Action::list:
    case ProfileOptions::Action::none:
      break;
  }
  return list_profiles(context.streams(), options.output.format);
}

}  // namespace taskctl
