#include "commands/show/show_view.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "base/duration.hpp"
#include "base/text.hpp"
#include "base/timestamp.hpp"
#include "engine/task_age.hpp"
#include "view/finding_table.hpp"
#include "view/json.hpp"

namespace taskctl {

namespace {

struct NamedTime {
  const char* name;
  const TimeFact& fact;
  const Attribute& source;
};

std::array<NamedTime, 7> times_of(const TaskTimes& times, const Profile& profile) {
  return {{{"created", times.created, profile.times.created},
           {"started", times.started, profile.times.started},
           {"finished", times.finished, profile.times.finished},
           {"updated", times.updated, profile.times.updated},
           {"heartbeat", times.heartbeat, profile.times.heartbeat},
           {"lease", times.lease, profile.times.lease},
           {"claimed", times.claimed, profile.times.claimed}}};
}

std::string zone_of(const Profile& profile, const Attribute& source) {
  const std::string& table = source.kind == Attribute::Kind::lookup ? source.table : profile.table;
  const std::string& column = source.kind == Attribute::Kind::lookup ? source.value : source.column;
  const ColumnEncoding* encoding = profile.encoding_of(table, column);
  if (encoding == nullptr || encoding->read.empty() || !encoding->read.front().zone) {
    return "UTC";
  }
  return encoding->read.front().zone->name();
}

/// The value as the row has it, for whoever compares with psql; empty when it comes from another table.
std::string stored_as(const TaskReport& report, const Attribute& source) {
  if (!report.facts.image || source.kind != Attribute::Kind::column) {
    return {};
  }
  const Value* value = report.facts.image->find(source.column);
  return value == nullptr ? std::string{} : fmt::format(" = '{}'", printable(to_display(*value)));
}

std::string time_line(const NamedTime& time, const TaskReport& report, const Profile& profile) {
  if (time.fact.absent()) {
    return "-";
  }
  if (time.fact.unreadable()) {
    return fmt::format("unreadable: '{}'", printable(time.fact.raw));
  }
  const Duration age = report.now - time.fact.at;
  const std::string relative = age.count() >= 0 ? format_age(age) + " ago" : "in " + format_age(-age);
  return fmt::format("{}  {}  ({}{}, read as {})", format_instant(time.fact.at), relative,
                     time.source.kind == Attribute::Kind::lookup ? time.source.value : time.source.column,
                     stored_as(report, time.source), zone_of(profile, time.source));
}

void pair(Streams& streams, std::string_view name, std::string_view value) {
  streams.line(fmt::format("  {:<14} {}", name, value));
}

void print_task(Streams& streams, const TaskReport& report, const Profile& profile) {
  const Task& task = report.facts.task;
  streams.line(fmt::format("task {}", printable(task.key.text())));
  pair(streams, "status", printable(task.status.value_or("NULL")));
  pair(streams, "class", task.task_class ? to_string(*task.task_class) : "not mapped by the profile");
  for (const auto& [name, value] : {std::pair{"kind", &task.kind}, {"queue", &task.queue}, {"user", &task.user}}) {
    if (*value) {
      pair(streams, name, printable(**value));
    }
  }
  if (task.attempts_used) {
    pair(streams, "attempts",
         task.attempts_limit ? fmt::format("{} of {}", *task.attempts_used, *task.attempts_limit)
                             : fmt::to_string(*task.attempts_used));
  }
  if (task.error) {
    pair(streams, "error", printable(*task.error));
  }
  streams.line("times");
  for (const NamedTime& time : times_of(task.times, profile)) {
    if (time.source.given()) {
      pair(streams, time.name, time_line(time, report, profile));
    }
  }
  if (profile.times.counts_first_seen()) {
    const TimeFact& seen = task.times.first_seen;
    pair(streams, "first seen",
         seen.known() ? fmt::format("{}  {}  (active and as it is now, noted by taskctl)", format_instant(seen.at),
                                    distance(seen.at, report.now))
                      : "-");
  }
}

void print_worker(Streams& streams, const TaskReport& report) {
  streams.line(fmt::format("worker {}: {}", printable(report.facts.task.worker.value_or("-")),
                           to_string(report.judgement.liveness.liveness)));
  for (const Evidence& source : report.judgement.liveness.sources) {
    pair(streams, source.source, printable(source.text));
  }
  if (report.facts.cancel_request.present) {
    const CancelRequestFact& request = report.facts.cancel_request;
    streams.line("cancel request");
    pair(streams, "requested", request.requested.known() ? format_instant(request.requested.at) : "time unknown");
    pair(streams, "reason", printable(request.reason.value_or("-")));
  }
}

void print_verdict(Streams& streams, const TaskReport& report, const Profile& profile) {
  streams.line("rules");
  for (const RuleVerdict& verdict : report.judgement.verdicts) {
    streams.line(
        fmt::format("  {} {:<22} {}", verdict.fired ? "*" : " ", to_string(verdict.rule), printable(verdict.why)));
  }
  if (!report.judgement.finding) {
    streams.line(fmt::format("not stuck{}{}", report.judgement.fine_because.empty() ? "" : ": ",
                             printable(report.judgement.fine_because)));
    return;
  }
  const Finding& finding = *report.judgement.finding;
  streams.line(fmt::format("{} ({}); reconcile: {}", to_string(finding.rule), to_string(finding.certainty),
                           repair_words(finding)));
  // What fired stands with its rule above; the rest is what decided how it ends.
  const auto rule = std::find_if(report.judgement.verdicts.begin(), report.judgement.verdicts.end(),
                                 [&](const RuleVerdict& verdict) { return verdict.rule == finding.rule; });
  for (const Evidence& evidence : finding.evidence) {
    if (rule == report.judgement.verdicts.end() || rule->why.find(evidence.text) == std::string::npos) {
      streams.line("  because " + printable(evidence.text));
    }
  }
  if (!finding.note.empty()) {
    streams.line("  " + printable(finding.note));
  }
  for (const std::string& name : finding.hazards) {
    std::string message;
    for (const Hazard& hazard : profile.hazards) {
      message = hazard.name == name ? ": " + hazard.message : message;
    }
    streams.line(fmt::format("hazard {}{}", name, message));
  }
}

void print_row(Streams& streams, const TaskReport& report) {
  if (!report.facts.image) {
    return;
  }
  streams.line("row");
  const Image& image = *report.facts.image;
  for (std::size_t i = 0; i < image.values.size(); ++i) {
    pair(streams, (*image.columns)[i], printable(to_display(image.values[i])));
  }
}

Json report_json(const TaskReport& report, const Session& session) {
  Json json;
  json["schema"] = "taskctl.show/1";
  json["target"] = session.target_name();
  json["now"] = format_instant(report.now);
  json["profile"] = session.profile.name;
  const std::optional<Finding>& finding = report.judgement.finding;
  const TimeFact& started = report.facts.task.times.started;
  json["task"] = to_json(report.facts.task, finding           ? age_of(*finding, report.now)
                                            : started.known() ? std::optional{report.now - started.at}
                                                              : std::nullopt);
  json["liveness"] = to_string(report.judgement.liveness.liveness);
  Json sources = Json::array();
  for (const Evidence& source : report.judgement.liveness.sources) {
    sources.push_back({{"source", source.source}, {"text", source.text}});
  }
  json["liveness_sources"] = sources;
  Json rules = Json::array();
  for (const RuleVerdict& verdict : report.judgement.verdicts) {
    rules.push_back({{"rule", to_string(verdict.rule)}, {"fired", verdict.fired}, {"why", verdict.why}});
  }
  json["rules"] = rules;
  json["finding"] = finding ? to_json(*finding, report.now) : Json();
  json["fine_because"] = report.judgement.fine_because;
  Json row = Json::object();
  if (report.facts.image) {
    for (std::size_t i = 0; i < report.facts.image->values.size(); ++i) {
      row[(*report.facts.image->columns)[i]] = to_json(report.facts.image->values[i]);
    }
  }
  json["row"] = row;
  return json;
}

}  // namespace

void print_task_report(Streams& streams, const TaskReport& report, const Session& session, OutputFormat format) {
  if (format == OutputFormat::json) {
    streams.line(dump_pretty(report_json(report, session)));
    return;
  }
  print_task(streams, report, session.profile);
  print_worker(streams, report);
  print_verdict(streams, report, session.profile);
  print_row(streams, report);
}

}  // namespace taskctl
