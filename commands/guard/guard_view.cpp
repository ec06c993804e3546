#include "commands/guard/guard_view.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.hpp"
#include "view/table_writer.hpp"

namespace taskctl {

namespace {

Json optional_json(const std::optional<std::string>& text) {
  return text ? Json(*text) : Json();
}

std::string mode_name(const GuardStatus& status) {
  return status.mode ? std::string{to_string(*status.mode)} : "none";
}

/// "running → failed"; one value where it stays or where a row is new.
std::string change_text(const GuardRecord& record, const std::optional<std::string>& before,
                        const std::optional<std::string>& after) {
  const std::string now = after.value_or("NULL");
  return record.operation == "insert" || before == after ? now : before.value_or("NULL") + " → " + now;
}

std::string writer_text(const GuardRecord& record) {
  std::string text = record.user.value_or("-");
  if (record.application && !record.application->empty()) {
    text += " (" + *record.application + ")";
  }
  if (record.client) {
    text += " from " + *record.client;
  }
  return record.pid ? text + " pid " + *record.pid : text;
}

}  // namespace

bool GuardRules::any_wrong() const {
  return std::ranges::any_of(wrong, [](const std::optional<std::int64_t>& count) { return count.value_or(0) > 0; });
}

bool GuardRules::can_validate() const {
  for (std::size_t i = 0; i < rules.size(); ++i) {
    if (rules[i].name == "finished") {
      return wrong[i].value_or(0) == 0;
    }
  }
  return false;
}

void print_guard_rules(Streams& streams, const GuardRules& rules) {
  TableWriter table{{{.title = "RULE"}, {.title = "KEEPS-OUT"}, {.title = "WRONG-NOW", .right = true}}};
  for (std::size_t i = 0; i < rules.rules.size(); ++i) {
    const std::optional<std::int64_t>& count = rules.wrong[i];
    table.row({rules.rules[i].name, rules.rules[i].text, count ? fmt::to_string(*count) : "-"},
              count.value_or(0) > 0 ? Style::yellow : Style::plain);
  }
  table.write(streams);
  for (const std::string& note : rules.left_out) {
    streams.line("not guarded: " + printable(note));
  }
}

void print_guard_status(Streams& streams, const Session& session, const TableInfo& table, const GuardStatus& status,
                        const GuardRules& rules) {
  streams.line(fmt::format("guard of {} (profile {}), mode {}", printable(table.name.display()), session.profile.name,
                           mode_name(status)));
  print_guard_rules(streams, rules);
  TableWriter objects{{{.title = "OBJECT"}, {.title = "NAME"}, {.title = "STATE"}}};
  for (const GuardItem& item : status.items) {
    const bool well = item.state == GuardItem::State::installed || item.state == GuardItem::State::not_valid;
    objects.row({std::string{to_string(item.kind)}, item.name, std::string{to_string(item.state)}},
                well ? Style::plain : Style::red);
  }
  objects.write(streams);
  if (status.switched_off) {
    streams.warn("the guard is switched off for every writer (taskctl.guard_off, or a row in taskctl_guard_state)");
  }
  streams.line(!status.mode          ? "not installed"
               : !status.matches()   ? "does not match the profile: `taskctl guard install` puts it right"
               : status.switched_off ? "installed, and switched off"
                                     : "installed, as the profile wants it");
}

void print_guard_report(Streams& streams, const std::vector<GuardRecord>& records) {
  TableWriter table{{{.title = "AT"},
                     {.title = "RULE"},
                     {.title = "TABLE", .shrinkable = true},
                     {.title = "TASK"},
                     {.title = "STATUS"},
                     {.title = "FINISHED", .shrinkable = true},
                     {.title = "WRITER", .shrinkable = true},
                     {.title = "STATEMENT", .shrinkable = true, .optional = true}}};
  for (const GuardRecord& record : records) {
    table.row({record.at, record.rule, record.table, record.task,
               change_text(record, record.old_status, record.new_status),
               change_text(record, record.old_finished, record.new_finished), writer_text(record),
               record.statement.value_or("")});
  }
  table.write(streams);
  if (records.empty()) {
    streams.line("nothing was recorded");
  }
}

Json guard_rules_json(const GuardRules& rules) {
  Json list = Json::array();
  for (std::size_t i = 0; i < rules.rules.size(); ++i) {
    list.push_back({{"rule", rules.rules[i].name},
                    {"text", rules.rules[i].text},
                    {"wrong_now", rules.wrong[i] ? Json(*rules.wrong[i]) : Json()}});
  }
  return list;
}

Json guard_status_json(const Session& session, const TableInfo& table, const GuardStatus& status,
                       const GuardRules& rules) {
  Json objects = Json::array();
  for (const GuardItem& item : status.items) {
    objects.push_back({{"kind", to_string(item.kind)}, {"name", item.name}, {"state", to_string(item.state)}});
  }
  return {{"schema", "taskctl.guard-status/1"},
          {"target", session.target_name()},
          {"profile", session.profile.name},
          {"table", table.name.display()},
          {"mode", status.mode ? Json(to_string(*status.mode)) : Json()},
          {"matches", status.matches()},
          {"switched_off", status.switched_off},
          {"rules", guard_rules_json(rules)},
          {"not_guarded", rules.left_out},
          {"objects", objects}};
}

Json guard_report_json(const Session& session, const std::vector<GuardRecord>& records) {
  Json list = Json::array();
  for (const GuardRecord& record : records) {
    list.push_back({{"id", record.id},
                    {"at", record.at},
                    {"rule", record.rule},
                    {"table", record.table},
                    {"task", record.task},
                    {"operation", record.operation},
                    {"old_status", optional_json(record.old_status)},
                    {"new_status", optional_json(record.new_status)},
                    {"old_finished", optional_json(record.old_finished)},
                    {"new_finished", optional_json(record.new_finished)},
                    {"user", optional_json(record.user)},
                    {"application", optional_json(record.application)},
                    {"client_address", optional_json(record.client)},
                    {"pid", optional_json(record.pid)},
                    {"statement", optional_json(record.statement)}});
  }
  return {{"schema", "taskctl.guard-report/1"}, {"target", session.target_name()}, {"records", list}};
}

}  // namespace taskctl
