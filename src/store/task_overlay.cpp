#include "store/task_overlay.hpp"

#include <cmath>
#include <set>
#include <type_traits>

#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/text.hpp"

namespace taskctl {

namespace {

using Json = nlohmann::json;

Json to_element(const Value& value) {
  return std::visit(
      [&](const auto& held) -> Json {
        using Held = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<Held, Null>) {
          return nullptr;
        } else if constexpr (std::is_same_v<Held, std::int64_t>) {
          return held;
        } else if constexpr (std::is_same_v<Held, double>) {
          return std::isfinite(held) ? Json(held) : Json(to_display(value));
        } else if constexpr (std::is_same_v<Held, std::string>) {
          return is_valid_utf8(held) ? Json(held) : Json(printable(held));
        } else {
          return to_display(value);
        }
      },
      value);
}

void append_columns(Json& row, const Image& image, const std::vector<std::string>& columns) {
  for (const std::string& column : columns) {
    const Value* value = image.find(column);
    row.push_back(value == nullptr ? Json(nullptr) : to_element(*value));
  }
}

}  // namespace

TaskOverlay task_overlay(const Profile& profile) {
  std::set<std::string> columns;
  const auto collect = [&](const OperationList& operations) {
    for (const OperationSpec& operation : operations) {
      if (operation.table.empty() || operation.table == profile.table) {
        for (const auto& [column, value] : operation.set) {
          columns.insert(column);
        }
      }
    }
  };
  for (const auto& [outcome, operations] : profile.outcomes) {
    collect(operations);
  }
  for (const auto& [rule, operations] : profile.rule_operations) {
    collect(operations);
  }
  for (const RowRule& rule : profile.row_rules) {
    if (rule.op && rule.table == profile.table) {
      collect({*rule.op});
    }
  }
  for (const std::string& column : profile.key) {
    columns.erase(column);
  }
  return {.columns = {columns.begin(), columns.end()}};
}

void append_task(TaskOverlay& overlay, const Profile& profile, const Change& change) {
  if (!change.before) {
    throw Error{ExitCode::bug, "a task that is inserted has no row to lay over"};
  }
  Json row = Json::array();
  append_columns(row, *change.before, profile.key);
  row.push_back(change.after ? 0 : 1);
  append_columns(row, change.after ? *change.after : *change.before, overlay.columns);
  overlay.rows.pop_back();
  overlay.rows += (overlay.rows.size() > 1 ? "," : "") + row.dump() + "]";
}

}  // namespace taskctl
