#include <algorithm>

#include <fmt/format.h>

#include "base/text.hpp"
#include "profile/draft.hpp"

namespace taskctl {

namespace {

std::vector<std::pair<std::string, TaskClass>> class_choices() {
  std::vector<std::pair<std::string, TaskClass>> choices;
  for (const TaskClass task_class : k_task_classes) {
    choices.emplace_back(to_string(task_class), task_class);
  }
  return choices;
}

ClassRule read_predicate(const Item& item, Draft& draft) {
  item.only({"when", "class", "contradiction", "outcome"});
  ClassRule rule;
  rule.when = draft.fragment(item.at("when", "a condition"), FragmentUse::reading);
  rule.task_class = item.at("class", "the class of the rows for which 'when' holds").choice(class_choices());
  if (const Item* contradiction = item.find("contradiction")) {
    rule.contradiction = contradiction->boolean();
  }
  if (const Item* outcome = item.find("outcome")) {
    if (!rule.contradiction) {
      outcome->fail("says how to repair rows that are not wrong", "'contradiction = true' beside it");
    }
    rule.outcome = draft.chosen_outcome(*outcome);
  }
  return rule;
}

StatusValue read_status(const Item& item, TaskClass task_class) {
  if (item.is(Item::Kind::integer)) {
    return {std::to_string(item.integer("a status")), true, task_class};
  }
  return {item.any_text("a status, as a text or an integer"), false, task_class};
}

void add_status(const Item& item, const StatusValue& status, std::vector<StatusValue>& values) {
  for (const StatusValue& other : values) {
    if (other.text == status.text) {
      item.fail(fmt::format("status '{}' is already {}", printable(status.text), to_string(other.task_class)),
                "each status in one class");
    }
    if (other.is_number != status.is_number) {
      item.fail("mixes texts and integers", "statuses of one type, the column's");
    }
  }
  values.push_back(status);
}

ClassRule read_vocabulary(const Item& item, Draft& draft) {
  item.only({"column", "queued", "active", "parked", "succeeded", "failed", "cancelled", "null"});
  ClassRule rule;
  rule.column = draft.column(item.at("column", "the column with the status"), draft.profile.table);
  for (const TaskClass task_class : k_task_classes) {
    if (const Item* list = item.find(to_string(task_class))) {
      for (const Item& status : list->array("statuses such as [\"running\"]")) {
        add_status(status, read_status(status, task_class), rule.values);
      }
    }
  }
  if (const Item* null = item.find("null")) {
    rule.null_is = null->choice(class_choices());
  }
  if (rule.values.empty() && !rule.null_is) {
    item.fail("maps no status", "at least one class with its statuses, such as active = [\"running\"]");
  }
  return rule;
}

}  // namespace

void read_classes(const Item& root, Draft& draft) {
  constexpr std::string_view k_expected = "at least one [[class]], which says what a status means";
  for (const Item& item : root.tables("class")) {
    const bool predicate = item.has("when");
    if (predicate == item.has("column")) {
      item.fail(predicate ? "has 'when' and 'column'" : "has neither 'when' nor 'column'", "one of the two");
    }
    draft.profile.classes.push_back(predicate ? read_predicate(item, draft) : read_vocabulary(item, draft));
    draft.profile.classes.back().where = item.where();
  }
  if (draft.profile.classes.empty()) {
    root.at("class", k_expected).fail("is empty", k_expected);
  }
}

}  // namespace taskctl
