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
  since.problem = since.source + " is not set";
  const auto times = fallback_times(task.times, profile.times);
  for (const auto& name : profile.times.start_fallback) {
    const auto found = std::find_if(times.begin(), times.end(), [&](const NamedTime& t) { return t.name == name; });
    if (found == times.end() || found->fact->absent()) {
      continue;
    }
    const std::string source = source_name(*found->attribute, found->name);
    if (found->fact->known()) {
      return {found->fact->at, source, name == "heartbeat", {}};
    }
    since.problem += ", " + unreadable_text(source, *found->fact);
  }
  since.problem += ", and no other time stands in for it";
  return since;
}

Since waiting_since(const Task& task, const Profile& profile) {
  const TimeFact& created = task.times.created;
  const TimeFact& started = task.times.started;
  if (!created.known() || started.unreadable() || (started.known() && started.at > created.at)) {
    return since_of(task, profile);
  }
  return {created.at, source_name(profile.times.created, "created"), false, {}};
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
