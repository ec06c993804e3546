#include <algorithm>

#include <fmt/format.h>

#include "base/text.hpp"
#include "profile/draft.hpp"

namespace taskctl {

namespace {

using LiveKind = LivenessSource::Kind;

/// A limit of zero would call every worker dead.
Duration read_timeout(const Item& item) {
  const Item& timeout = item.at("timeout", "the age at which a heartbeat means dead, such as \"2m\"");
  const Duration result = timeout.duration();
  if (result <= Duration::zero()) {
    timeout.fail("is zero", "the age at which a heartbeat means dead, such as \"2m\"");
  }
  return result;
}

void need_time(const Item& source, const Attribute& time, std::string_view name) {
  if (!time.given()) {
    source.fail("needs a time that is not given", fmt::format("'{}' in [task.time]", name));
  }
}

void read_worker_table(const Item& item, Draft& draft, LivenessSource& source) {
  item.only({"source", "name", "table", "key", "heartbeat", "timeout", "missing"});
  source.table = draft.table(item.at("table", "the table of the workers"));
  source.key = draft.column(item.at("key", "the column that equals the task's worker"), source.table);
  source.heartbeat = draft.time_column(item.at("heartbeat", "the time of a worker's last sign of life"), source.table);
  source.timeout = read_timeout(item);
  if (const Item* missing = item.find("missing")) {
    source.missing_is_dead = missing->choice<bool>({{"dead", true}, {"unknown", false}});
  }
  draft.worker_uses.emplace_back(source.where, "a worker table");
}

LivenessSource read_liveness_source(const Item& item, Draft& draft) {
  const Item& kind = item.at("source", "\"lease\", \"heartbeat\", \"table\" or \"sql\"");
  LivenessSource source;
  source.kind = kind.choice<LiveKind>({{"lease", LiveKind::lease},
                                       {"heartbeat", LiveKind::heartbeat},
                                       {"table", LiveKind::table},
                                       {"sql", LiveKind::sql}});
  source.name = kind.text("a source");
  source.where = item.where();
  switch (source.kind) {
    case LiveKind::lease:
      item.only({"source", "name", "grace", "before"});
      need_time(kind, draft.profile.times.lease, "lease");
      source.timeout = item.has("grace") ? item.find("grace")->duration() : Duration::zero();
      if (const Item* before = item.find("before")) {
        source.alive_before_end = before->choice<bool>({{"alive", true}, {"unknown", false}});
      }
      break;
    case LiveKind::heartbeat:
      item.only({"source", "name", "timeout"});
      need_time(kind, draft.profile.times.heartbeat, "heartbeat");
      source.timeout = read_timeout(item);
      break;
    case LiveKind::table:
      read_worker_table(item, draft, source);
      source.name = source.table;
      break;
    case LiveKind::sql:
      item.only({"source", "name", "verdict"});
      source.verdict =
          draft.fragment(item.at("verdict", "SQL that gives 'alive', 'dead' or NULL"), FragmentUse::reading);
      break;
  }
  if (const Item* name = item.find("name")) {
    source.name = name->text("a name for people");
  }
  return source;
}

}  // namespace

void read_liveness(const Item& root, Draft& draft) {
  std::vector<std::string> names;
  for (const Item& item : root.tables("liveness")) {
    LivenessSource source = read_liveness_source(item, draft);
    if (std::find(names.begin(), names.end(), source.name) != names.end()) {
      item.fail(fmt::format("is a second source with the name '{}'", printable(source.name)),
                "another 'name' for one of the two");
    }
    names.push_back(source.name);
    draft.profile.liveness.push_back(std::move(source));
  }
}

void read_cancel_request(const Item& root, Draft& draft) {
  const Item* item = root.find("cancel_request");
  if (item == nullptr) {
    return;
  }
  item->table("a table [cancel_request]");
  CancelRequestSource source;
  source.where = item->where();
  if (item->has("table")) {
    item->only({"table", "match", "requested", "reason"});
    source.table = draft.table(*item->find("table"));
    source.match = draft.match(item->at("match", "pairs such as { job_id = \"id\" }"), source.table);
  } else {
    item->only({"table", "requested", "reason"});
  }
  const std::string& holder = source.table.empty() ? draft.profile.table : source.table;
  source.requested = draft.time_column(item->at("requested", "the time of the request"), holder);
  if (const Item* reason = item->find("reason")) {
    source.reason = draft.column(*reason, holder);
  }
  draft.profile.cancel_request = std::move(source);
}

void read_hazards(const Item& root, Draft& draft) {
  std::vector<std::string> taken = {"alive", "young", "rls"};  // built in
  for (const Item& item : root.tables("hazard")) {
    item.only({"name", "when", "message"});
    const Item& name = item.at("name", "the name for --accept-hazard");
    const std::string& text = name.text("the name for --accept-hazard");
    if (std::find(taken.begin(), taken.end(), text) != taken.end()) {
      name.fail(fmt::format("'{}' is taken", printable(text)), "a name that no other hazard has");
    }
    taken.push_back(text);
    draft.profile.hazards.push_back({text, draft.fragment(item.at("when", "a condition"), FragmentUse::reading),
                                     item.at("message", "what can go wrong").text("what can go wrong")});
  }
}

}  // namespace taskctl
