#include <algorithm>

#include <fmt/format.h>

#include "profile/draft.hpp"

namespace taskctl {

namespace {

enum class Holds { value, time };

constexpr std::string_view k_attribute =
    "a column (\"status\"), { sql = \"…\" } or { table = \"…\", match = { … }, value = \"…\" }";

void read_order(const Item& item, Draft& draft, Attribute& attribute) {
  if (const Item* order = item.find("order_by")) {
    attribute.order_by = draft.column(*order, attribute.table);
  }
  if (const Item* pick = item.find("pick")) {
    if (attribute.order_by.empty()) {
      pick->fail("stands without 'order_by'", "the column that decides which row is the newest");
    }
    attribute.newest = pick->choice<bool>({{"newest", true}, {"oldest", false}});
  }
}

Attribute read_lookup(const Item& item, Draft& draft, Holds holds) {
  item.only({"table", "match", "value", "order_by", "pick"});
  Attribute attribute;
  attribute.kind = Attribute::Kind::lookup;
  attribute.table = draft.table(item.at("table", "the name of a table"));
  attribute.match = draft.match(item.at("match", "pairs such as { task_id = \"id\" }"), attribute.table);
  const Item& value = item.at("value", "the column that is wanted");
  attribute.value =
      holds == Holds::time ? draft.time_column(value, attribute.table) : draft.column(value, attribute.table);
  read_order(item, draft, attribute);
  return attribute;
}

Attribute read_expression(const Item& item, Draft& draft, Holds holds) {
  Attribute attribute;
  if (holds == Holds::time) {
    item.only({"sql", "encoding"});
    const std::vector<TimeStyle> read =
        draft.encodings(item.at("encoding", "the name of an [encoding.NAME]: an expression has no column's"));
    attribute.encoding = ColumnEncoding{read, read.front()};
  } else {
    item.only({"sql"});
  }
  attribute.kind = Attribute::Kind::sql;
  attribute.sql = draft.fragment(item.at("sql", "one SQL expression in a text"), FragmentUse::reading);
  return attribute;
}

Attribute read_attribute(const Item& item, Draft& draft, Holds holds) {
  Attribute attribute;
  if (item.is(Item::Kind::table)) {
    attribute = item.has("sql") ? read_expression(item, draft, holds) : read_lookup(item, draft, holds);
  } else {
    if (!item.is(Item::Kind::text)) {
      item.fail("is neither a text nor a table", k_attribute);
    }
    attribute.kind = Attribute::Kind::column;
    attribute.column =
        holds == Holds::time ? draft.time_column(item, draft.profile.table) : draft.column(item, draft.profile.table);
  }
  attribute.where = item.where();
  return attribute;
}

void read_optional(const Item& table, std::string_view key, Draft& draft, Holds holds, Attribute& target) {
  if (const Item* item = table.find(key)) {
    target = read_attribute(*item, draft, holds);
  }
}

/// An expression for the worker cannot use the worker.
void read_worker(const Item& task, Draft& draft) {
  read_optional(task, "worker", draft, Holds::value, draft.profile.worker);
  if (!draft.worker_uses.empty()) {
    fail_at(draft.worker_uses.front().first, "':worker' stands for itself, expected an expression over columns");
  }
}

void read_attempts(const Item& task, Draft& draft) {
  const Item* item = task.find("attempts");
  if (item == nullptr) {
    return;
  }
  constexpr std::string_view k_expected = "{ used = \"retry_count\", limit = \"max_retries\" }";
  item->table(k_expected).only({"used", "limit"});
  draft.profile.attempts_used = read_attribute(item->at("used", k_expected), draft, Holds::value);
  read_optional(*item, "limit", draft, Holds::value, draft.profile.attempts_limit);
}

void read_start_fallback(const Item& times, Draft& draft) {
  const Item* item = times.find("start_fallback");
  if (item == nullptr) {
    return;
  }
  constexpr std::string_view k_expected = "names of times such as [\"heartbeat\", \"claimed\", \"created\"]";
  const std::string last{k_first_seen};
  draft.profile.times.start_fallback = item->texts(k_expected);
  const std::vector<std::string> known = {"heartbeat", "claimed", "created", "updated", last};
  const std::vector<Item>& names = item->array(k_expected);
  for (const Item& name : names) {
    const std::string& text = name.text(k_expected);
    if (std::find(known.begin(), known.end(), text) == known.end()) {
      name.fail_unknown(text, known);
    }
    if (text == last && &name != &names.back()) {
      name.fail("'first_seen' stands before a time of the row", "'first_seen' as the last name, if at all");
    }
  }
}

/// Without any of these no task could ever be called old.
bool has_start(const Profile::Times& times) {
  const auto given = [&](const std::string& name) {
    return name == k_first_seen || (name == "heartbeat" && times.heartbeat.given()) ||
           (name == "claimed" && times.claimed.given()) || (name == "created" && times.created.given()) ||
           (name == "updated" && times.updated.given());
  };
  return times.started.given() || std::any_of(times.start_fallback.begin(), times.start_fallback.end(), given);
}

void read_task_times(const Item& task, Draft& draft) {
  const Item& item =
      task.at("time", "a table of times such as started = \"started_at\", or start_fallback = [\"first_seen\"]")
          .table("a table of times");
  item.only({"created", "started", "finished", "updated", "heartbeat", "lease", "claimed", "start_fallback"});
  Profile::Times& times = draft.profile.times;
  read_optional(item, "created", draft, Holds::time, times.created);
  read_optional(item, "started", draft, Holds::time, times.started);
  read_optional(item, "finished", draft, Holds::time, times.finished);
  read_optional(item, "updated", draft, Holds::time, times.updated);
  read_optional(item, "heartbeat", draft, Holds::time, times.heartbeat);
  read_optional(item, "lease", draft, Holds::time, times.lease);
  read_optional(item, "claimed", draft, Holds::time, times.claimed);
  read_start_fallback(item, draft);
  if (!has_start(times)) {
    item.fail("says nothing about when a task started", "'started', or a time that 'start_fallback' names");
  }
}

void read_key(const Item& task, Draft& draft) {
  constexpr std::string_view k_expected = "the columns of the key such as [\"id\"]";
  const Item& item = task.at("key", k_expected);
  draft.profile.key = item.texts(k_expected);
  for (const Item& column : item.array(k_expected)) {
    draft.column(column, draft.profile.table);
  }
}

}  // namespace

void read_task(const Item& root, Draft& draft) {
  const Item& task = root.at("task", "a table [task]").table("a table [task]");
  task.only(
      {"table", "key", "status", "kind", "worker", "queue", "user", "error", "attempts", "always_assigned", "time"});
  Profile& profile = draft.profile;
  profile.table = draft.table(task.at("table", "the name of the table with the tasks"));
  read_key(task, draft);
  read_worker(task, draft);
  read_optional(task, "status", draft, Holds::value, profile.status);
  read_optional(task, "kind", draft, Holds::value, profile.kind);
  read_optional(task, "queue", draft, Holds::value, profile.queue);
  read_optional(task, "user", draft, Holds::value, profile.user);
  read_optional(task, "error", draft, Holds::value, profile.error);
  read_attempts(task, draft);
  if (const Item* item = task.find("always_assigned")) {
    profile.always_assigned = item->boolean();
    if (profile.always_assigned) {
      draft.worker_uses.emplace_back(item->where(), "'always_assigned'");
    }
  }
  read_task_times(task, draft);
}

}  // namespace taskctl
