#include <algorithm>
#include <cctype>
#include <exception>
#include <filesystem>
#include <set>
#include <sstream>

#include "base/process.hpp"
#include "cli/complete.hpp"
#include "cli/config.hpp"
#include "profile/profile_reader.hpp"
#include "view/json.hpp"

namespace taskctl {

namespace {

// Whoever presses Tab waits this long and no longer; then the reading command is ended.
constexpr Duration k_patience = std::chrono::milliseconds{1000};
constexpr Duration k_grace = std::chrono::milliseconds{200};

constexpr const char* k_most_runs = "50";
constexpr const char* k_most_tasks = "200";

// What a reading command of ours prints about the target; empty when it fails or takes too long.
std::string ask_ourselves(const ValueQuestion& question, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), std::filesystem::read_symlink("/proc/self/exe").string());
  const TargetOptions& target = question.target;
  for (const auto& [name, value] :
       {std::pair{"--db", &target.db}, std::pair{"--target", &target.target}, std::pair{"--profile", &target.profile},
        std::pair{"--config", &target.config}, std::pair{"--password-file", &target.password_file},
        std::pair{"--journal-schema", &target.journal_schema}}) {
    if (!value->empty()) {
      arguments.push_back(std::string{name} + "=" + *value);
    }
  }
  std::vector<std::string> environment;
  if (question.writes) {
    environment.emplace_back("DATABASE_URL=");
  }
  const ProcessResult result = run_process(arguments, environment, k_patience, nullptr, k_grace);
  return result.status == 0 ? result.output : "";
}

std::string text_at(const Json& object, const std::string& name) {
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) {
    return {};
  }
  return found->is_string() ? found->get<std::string>() : dump(*found);
}

std::vector<Suggestion> runs(const ValueQuestion& question) {
  std::vector<Suggestion> candidates;
  const std::string answer = ask_ourselves(question, {"history", "--output=json", "--limit", k_most_runs});
  const Json document = Json::parse(answer, nullptr, false);
  if (!document.is_object() || !document.contains("runs")) {
    return {};
  }
  for (const Json& run : document.at("runs")) {
    candidates.push_back({text_at(run, "id"), text_at(run, "command") + " " + text_at(run, "started_at")});
  }
  return candidates;
}

// Unfinished tasks, the oldest first; all of them, not only what is stuck.
std::vector<Json> tasks(const ValueQuestion& question) {
  std::vector<Json> tasks;
  std::istringstream lines{
      ask_ourselves(question, {"list-stuck", "--include-fine", "--output=jsonl", "--limit", k_most_tasks})};
  for (std::string line; std::getline(lines, line);) {
    const Json entry = Json::parse(line, nullptr, false);
    if (entry.is_object() && entry.contains("task") && entry.at("task").is_object()) {
      tasks.push_back(entry);
    }
  }
  return tasks;
}

std::vector<Suggestion> task_ids(const ValueQuestion& question) {
  std::vector<Suggestion> candidates;
  for (const Json& entry : tasks(question)) {
    const Json& task = entry.at("task");
    candidates.push_back(
        {text_at(task, "id"), text_at(task, "kind") + " " + text_at(task, "status") + " " + text_at(entry, "rule")});
  }
  return candidates;
}

/// Every status that is in use: tasks that wait can be cancelled, and list-stuck does not know them.
std::vector<Suggestion> statuses(const ValueQuestion& question) {
  std::vector<Suggestion> candidates;
  const Json document = Json::parse(ask_ourselves(question, {"stats", "--output=json"}), nullptr, false);
  if (document.is_object() && document.contains("statuses")) {
    for (const Json& status : document.at("statuses")) {
      candidates.push_back({text_at(status, "status"), text_at(status, "class")});
    }
  }
  return candidates;
}

std::vector<Suggestion> attributes(const ValueQuestion& question) {
  std::string field = question.value;
  std::transform(field.begin(), field.end(), field.begin(), [](unsigned char c) { return std::tolower(c); });
  if (field == "status") {
    return statuses(question);
  }
  std::set<std::string> values;
  for (const Json& entry : tasks(question)) {
    values.insert(text_at(entry.at("task"), field));
  }
  values.erase("");
  std::vector<Suggestion> candidates;
  for (const std::string& value : values) {
    candidates.push_back({value, ""});
  }
  return candidates;
}

std::vector<Suggestion> targets(const ValueQuestion& question) {
  std::vector<Suggestion> candidates;
  for (const auto& [name, target] : resolve_config({.config = question.target.config}, true).targets) {
    candidates.push_back({name, target.is_protected.value ? "protected" : ""});
  }
  return candidates;
}

std::vector<Suggestion> ask(const ValueQuestion& question) {
  std::vector<Suggestion> candidates;
  switch (question.kind) {
    case ValueKind::target:
      return targets(question);
    case ValueKind::run:
      return runs(question);
    case ValueKind::task:
      return task_ids(question);
    case ValueKind::attribute:
      return attributes(question);
    case ValueKind::profile:
      for (const std::string& name : builtin_profile_names()) {
        candidates.push_back({name, "built in"});
      }
      return candidates;
    default:
      return candidates;
  }
}

}  // namespace

std::vector<Suggestion> outside_values(const ValueQuestion& question) {
  try {
    return ask(question);
  } catch (const std::exception&) {
    // No target, no right, no file: then there is nothing to offer.
    return {};
  }
}

}  // namespace taskctl
