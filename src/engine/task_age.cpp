#include "engine/task_age.hpp"

#include <algorithm>
#include <array>

#include "base/duration.hpp"
#include "base/text.hpp"

namespace taskctl {

namespace {

struct NamedTime {
  std::string_view name;
  const TimeFact* fact;
  const Attribute* attribute;
};

std::array<NamedTime, 4> fallback_times(const TaskTimes& times, const Profile::Times& sources) {
  return {{{"heartbeat", &times.heartbeat, &sources.heartbeat},
           {"claimed", &times.claimed, &sources.claimed},
           {"created", &times.created, &sources.created},
           {"updated", &times.updated, &sources.updated}}};
}

/// What the last word of the chain adds where it says nothing.
constexpr const char* k_never_seen =
    "and it has not been seen in this state lately: `taskctl observe` takes note of it";

/// Only active tasks are taken note of.
bool counts_first_seen(const Task& task, const Profile& profile) {
  return profile.times.counts_first_seen() && task.task_class == TaskClass::active;
}

std::string unreadable_text(const std::string& source, const TimeFact& fact) {
  return source + " cannot be read ('" + printable(fact.raw) + "')";
}

}  // namespace

std::string source_name(const Attribute& attribute, std::string_view otherwise) {
  switch (attribute.kind) {
    case Attribute::Kind::column:
      return attribute.column;
    case Attribute::Kind::lookup:
      return attribute.table + "." + attribute.value;
    case Attribute::Kind::none:
    case Attribute::Kind::sql:
      break;
  }
  return std::string{otherwise};
}

std::string distance(Instant at, Instant now) {
  return at <= now ? format_age(now - at) + " ago" : "in " + format_age(at - now);
}

Since since_of(const Task& task, const Profile& profile) {
  Since since;
  since.source = source_name(profile.times.started, "started");
  const TimeFact& started = task.times.started;
  if (started.known()) {
    since.at = started.at;
    return since;
  }
  if (started.unreadable()) {
    since.problem = unreadable_text(since.source, started);
    return since;
  }
  const bool counts = counts_first_seen(task, profile);
  since.problem =
      counts && !profile.times.started.given() ? "nothing in the row says when it began" : since.source + " is not set";
  const auto times = fallback_times(task.times, profile.times);
  for (const auto& name : profile.times.start_fallback) {
    const auto found = std::find_if(times.begin(), times.end(), [&](const NamedTime& t) { return t.name == name; });
    if (found == times.end() || found->fact->absent()) {
      continue;
    }
    const std::string source = source_name(*found->attribute, found->name);
    if (found->fact->known()) {
      return {
          .at = found->fact->at, .source = source, .heartbeat = name == "heartbeat", .sighted = false, .problem = {}};
    }
    since.problem += ", " + unreadable_text(source, *found->fact);
  }
  if (!counts) {
    since.problem += ", and no other time stands in for it";
  } else if (const TimeFact& seen = task.times.first_seen; seen.known()) {
    return {.at = seen.at, .source = "first seen", .heartbeat = false, .sighted = true, .problem = {}};
  } else {
    since.source = "first seen";
    since.problem = since.problem + ", " + k_never_seen;
  }
  return since;
}

Since waiting_since(const Task& task, const Profile& profile) {
  const TimeFact& created = task.times.created;
  const TimeFact& started = task.times.started;
  if (!created.known() || started.unreadable() || (started.known() && started.at > created.at)) {
    return since_of(task, profile);
  }
  return {.at = created.at,
          .source = source_name(profile.times.created, "created"),
          .heartbeat = false,
          .sighted = false,
          .problem = {}};
}

std::optional<Instant> newest_time(const TaskTimes& t) {
  std::optional<Instant> newest;
  for (const auto* time : {&t.created, &t.started, &t.finished, &t.updated, &t.heartbeat, &t.claimed}) {
    if (time->known() && (!newest || *newest < time->at)) {
      newest = time->at;
    }
  }
  return newest;
}

}  // namespace taskctl
