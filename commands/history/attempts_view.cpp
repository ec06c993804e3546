#include "commands/history/attempts_view.hpp"

#include <fmt/format.h>

#include <deque>
#include <fstream>

#include "base/error.hpp"
#include "cli/attempts.hpp"
#include "commands/shared/plan_view.hpp"
#include "view/json.hpp"
#include "view/table_writer.hpp"

namespace taskctl {

namespace {

std::string text_at(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

/// The last lines that are objects, oldest first, and how many lines of the file are none.
struct Attempts {
  std::deque<Json> newest;
  std::size_t damaged = 0;
};

Attempts read_attempts(const std::string& path, std::size_t limit) {
  Attempts attempts;
  std::ifstream file{path};
  for (std::string line; std::getline(file, line);) {
    Json json = Json::parse(line, nullptr, false);
    if (!json.is_object()) {
      ++attempts.damaged;
      continue;
    }
    attempts.newest.push_back(std::move(json));
    if (attempts.newest.size() > limit) {
      attempts.newest.pop_front();
    }
  }
  if (file.bad()) {
    throw Error{ExitCode::failed, fmt::format("'{}' cannot be read", path)};
  }
  return attempts;
}

}  // namespace

void print_attempts(Streams& streams, std::size_t limit, OutputFormat format) {
  const std::string path = attempts_file().string();
  const Attempts attempts = read_attempts(path, limit);
  if (attempts.damaged > 0) {
    streams.warn(fmt::format("{} of '{}' cannot be read and were left out",
                             counted(static_cast<std::int64_t>(attempts.damaged), "line"), path));
  }
  if (format == OutputFormat::json) {
    const Json::array_t list(attempts.newest.rbegin(), attempts.newest.rend());
    streams.line(dump_pretty({{"schema", "taskctl.history-attempts/1"}, {"file", path}, {"attempts", list}}));
    return;
  }
  TableWriter table{{{.title = "TIME"},
                     {.title = "COMMAND"},
                     {.title = "CODE"},
                     {.title = "WHO", .shrinkable = true},
                     {.title = "MESSAGE", .shrinkable = true, .fold = true}}};
  for (auto at = attempts.newest.rbegin(); at != attempts.newest.rend(); ++at) {
    const std::string user = text_at(*at, "sudo_user").empty() ? text_at(*at, "user") : text_at(*at, "sudo_user");
    table.row({text_at(*at, "time").substr(0, sizeof "2025-12-19T08:54:56" - 1) + "Z", text_at(*at, "command"),
               text_at(*at, "name"), user + "@" + text_at(*at, "host"), text_at(*at, "message")});
  }
  table.write(streams);
  if (attempts.newest.empty()) {
    streams.line("no command was refused or failed on this machine");
  }
}

}  // namespace taskctl
