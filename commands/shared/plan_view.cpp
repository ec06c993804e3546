#include "commands/shared/plan_view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/duration.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "base/timestamp.hpp"
#include "view/finding_table.hpp"

namespace taskctl {

namespace {

std::string unit_heading(const PlanUnit& unit, Instant now) {
  if (!unit.finding) {
    return printable(unit.task);
  }
  const Finding& finding = *unit.finding;
  std::string text = printable(unit.task);
  if (finding.task.kind) {
    text += "  " + printable(*finding.task.kind);
  }
  text += fmt::format("  → {}", to_string(finding.outcome));
  if (finding.certainty != Certainty::none) {
    text += fmt::format("  ({}, {})", to_string(finding.rule), to_string(finding.certainty));
  }
  if (const std::optional<Duration> age = age_of(finding, now)) {
    text += "  age " + format_age(*age);
  }
  return text;
}

/// A task with a hundred thousand results is one task: a few of its rows are enough to see what would happen to them.
void print_changes(Streams& streams, const std::vector<Change>& changes) {
  constexpr std::size_t k_shown = 20;
  const std::size_t shown = changes.size() <= k_shown + 1 ? changes.size() : k_shown;
  for (std::size_t i = 0; i < shown; ++i) {
    const Change& change = changes[i];
    streams.line(fmt::format("    {} {} {}", to_string(change.operation), change.table.display(),
                             printable(change.key.display())));
    for (const std::string& line : change_lines(change)) {
      streams.line("        " + line);
    }
  }
  std::map<std::string, std::int64_t> more;
  for (std::size_t i = shown; i < changes.size(); ++i) {
    ++more[fmt::format("{} {}", to_string(changes[i].operation), changes[i].table.display())];
  }
  for (const auto& [what, count] : more) {
    streams.line(fmt::format("    … {}: {} (--output json lists all)", what, counted(count, "more row")));
  }
}

void print_unit(Streams& streams, const PlanUnit& unit, Instant now, const std::string& freshness) {
  const bool colour = streams.options().colour;
  streams.line(styled(unit_heading(unit, now), Style::bold, colour));
  if (!freshness.empty()) {
    streams.line("    now " + freshness);
  }
  if (unit.finding) {
    std::string because;
    for (const Evidence& evidence : unit.finding->evidence) {
      because += (because.empty() ? "    because " : "; ") + printable(evidence.text);
    }
    if (!because.empty()) {
      streams.line(because);
    }
    const bool open = unit.finding->task.task_class && !is_terminal(*unit.finding->task.task_class);
    if (open && unit.finding->liveness == Liveness::alive && unit.finding->outcome != Outcome::parked) {
      streams.line(styled(
          fmt::format("    worker {} is alive and was not told", printable(unit.finding->task.worker.value_or("-"))),
          Style::yellow, colour));
    }
  }
  print_changes(streams, unit.changes);
}

/// "changed: column 'status' is 'done' instead of 'running'"; empty without a check.
std::string freshness_text(const PlanCheck* check, std::size_t unit) {
  if (check == nullptr) {
    return {};
  }
  const std::string detail = check->freshness(unit) == Freshness::gone ? "" : check->detail(unit);
  return std::string{to_string(check->freshness(unit))} + (detail.empty() ? "" : ": " + printable(detail));
}

/// What to type when the tasks are meant all the same.
std::string_view way_on(LeftOut::Why why, const std::string& command) {
  switch (why) {
    case LeftOut::Why::needs_max_age:
      return "; included by --max-age";
    case LeftOut::Why::undecided:
      return "; decided by --outcome OUTCOME";
    case LeftOut::Why::hazard:
      return "; each hazard must be accepted by --accept-hazard NAME";
    case LeftOut::Why::needs_force:
      return command == "release-worker" ? "; included by --force" : "; running tasks are ended with --force";
    case LeftOut::Why::reported_only:
    case LeftOut::Why::over_limit:
    case LeftOut::Why::already_over:
    case LeftOut::Why::already_cancelled:
    case LeftOut::Why::unknown:
    case LeftOut::Why::unknown_age:
    case LeftOut::Why::not_repairable:
    case LeftOut::Why::changed_since:
    case LeftOut::Why::unaddressable:
    case LeftOut::Why::nothing_to_do:
    case LeftOut::Why::worker_alive:
    case LeftOut::Why::too_fresh:
    case LeftOut::Why::applied_before:
      break;
  }
  return "";
}

/// For reconcile an age only says which findings are repaired; for cancel it selects.
std::string selection_text(const Plan& plan) {
  const bool by_age = plan.is_selected && plan.policy.max_age_given;
  if (by_age && plan.selector.empty()) {
    return "age >= " + format_duration(plan.policy.max_age);
  }
  return plan.selector.describe() + (by_age ? " AND age >= " + format_duration(plan.policy.max_age) : "");
}

/// The most frequent ones first.
void print_counts(Streams& streams, std::string_view title, const std::map<std::string, std::int64_t>& counts) {
  constexpr std::size_t k_shown = 10;
  std::vector<std::pair<std::string, std::int64_t>> sorted{counts.begin(), counts.end()};
  std::ranges::stable_sort(sorted, [](const auto& a, const auto& b) { return a.second > b.second; });
  std::vector<std::string> parts;
  for (const auto& [name, count] : sorted) {
    if (parts.size() == k_shown) {
      parts.push_back(fmt::format("and {} more", sorted.size() - k_shown));
      break;
    }
    parts.push_back(fmt::format("{} {}", printable(name), count));
  }
  if (!parts.empty()) {
    streams.line(fmt::format("{}: {}", title, join(parts, ", ")));
  }
}

/// What a selection came down to, before anybody says yes.
void print_selection_counts(Streams& streams, const Plan& plan) {
  std::map<std::string, std::int64_t> statuses, kinds;
  plan.for_each([&](std::size_t, const PlanUnit& unit) {
    if (unit.finding && !unit.finding->table) {
      ++statuses[unit.finding->task.status.value_or("NULL")];
      ++kinds[unit.finding->task.kind.value_or("-")];
    }
  });
  print_counts(streams, "by status", statuses);
  print_counts(streams, "by kind", kinds);
}

/// The ids of a cancel, by what became of them: those that were ended. The others have a line each.
void print_ended(Streams& streams, const Plan& plan, const ApplyResult& result) {
  constexpr std::int64_t k_shown = 100;
  std::set<std::string> rows;  // accounts that followed their tasks
  plan.for_each([&rows](std::size_t, const PlanUnit& unit) {
    if (unit.finding && unit.finding->table) {
      rows.insert(unit.task);
    }
  });
  std::int64_t ended = result.run.applied;
  std::int64_t shown = 0;
  std::string text;
  for (const std::string& task : result.applied) {
    if (rows.contains(task)) {
      --ended;
    } else if (shown < k_shown) {
      text += (text.empty() ? "" : ", ") + printable(task);
      ++shown;
    }
  }
  if (shown > 0) {
    const std::int64_t more = ended - shown;
    streams.line(fmt::format("ended ({}): {}{}", ended, text,
                             more > 0 ? fmt::format(" … and {} more (--output json lists all)", more) : ""));
  }
}

Json counts_json(const std::map<std::string, std::int64_t>& counts) {
  Json json = Json::object();
  for (const auto& [status, count] : counts) {
    json[status] = count;
  }
  return json;
}

}  // namespace

std::string counted(std::int64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

void print_left_out(Streams& streams, const Plan& plan) {
  // Grouped by why, because a bulk run leaves thousands alone for one reason.
  std::map<LeftOut::Why, std::vector<const LeftOut*>> groups;
  for (const LeftOut& left : plan.left_out) {
    groups[left.why].push_back(&left);
  }
  constexpr std::size_t k_shown = 20;
  for (const auto& [why, count] : plan.left_out_counts) {
    streams.line(fmt::format("left alone, {} ({}){}:", to_string(why), count, way_on(why, plan.command)));
    const std::vector<const LeftOut*>& members = groups[why];
    const std::size_t shown = std::min(members.size(), k_shown);
    for (std::size_t i = 0; i < shown; ++i) {
      streams.line(fmt::format("    {}{}{}", printable(members[i]->task), members[i]->detail.empty() ? "" : ": ",
                               printable(members[i]->detail)));
    }
    if (const std::int64_t more = count - static_cast<std::int64_t>(shown); more > 0) {
      streams.line(fmt::format("    … and {} more (--output json lists up to {})", more, Plan::k_left_out_kept));
    }
  }
}

std::string freshness_counts(const PlanCheck& check) {
  std::vector<std::string> parts;
  for (const Freshness freshness :
       {Freshness::fresh, Freshness::changed, Freshness::moved_on, Freshness::refused, Freshness::gone}) {
    if (const std::int64_t count = check.count(freshness); count > 0 || freshness == Freshness::fresh) {
      parts.push_back(fmt::format("{} {}", count, to_string(freshness)));
    }
  }
  return join(parts, ", ");
}

std::string plan_size_text(const Plan& plan) {
  const std::int64_t rows = static_cast<std::int64_t>(plan.row_count());
  const std::int64_t tasks = static_cast<std::int64_t>(plan.size()) - rows;
  if (rows == 0) {
    return counted(tasks, "task");
  }
  return tasks == 0 ? counted(rows, "row")
                    : fmt::format("{} and {} beside {}", counted(tasks, "task"), counted(rows, "row"),
                                  tasks == 1 ? "it" : "them");
}

void print_plan(Streams& streams, const Plan& plan, const std::string& target, const PlanCheck* check) {
  for (const std::string& warning : plan.warnings) {
    streams.warn(warning);
  }
  plan.for_each([&](std::size_t index, const PlanUnit& unit) {
    print_unit(streams, unit, plan.now, freshness_text(check, index));
  });
  print_left_out(streams, plan);
  streams.line(fmt::format("plan: {}, {} on {}; detected at {}", plan_size_text(plan),
                           counted(plan.change_count(), "row change"), target, format_instant(plan.now)));
  if (check != nullptr) {
    streams.line("compared with the database: " + freshness_counts(*check));
  }
  if (plan.command == "reconcile" || plan.is_selected) {
    streams.talk("selected: " + selection_text(plan));
  }
  if (plan.is_selected) {
    print_selection_counts(streams, plan);
  }
}

namespace {

/// "2s for --sleep, 350ms for locks of others"
std::string pauses_text(const std::map<std::string, Duration>& pauses) {
  std::vector<std::string> parts;
  for (const auto& [why, length] : pauses) {
    parts.push_back(
        fmt::format("{} for {}", format_duration(std::chrono::floor<std::chrono::milliseconds>(length)), why));
  }
  return join(parts, ", ");
}

void print_reports(Streams& streams, const ApplyResult& result) {
  constexpr std::size_t k_shown = 50;
  std::size_t shown = 0;
  for (const UnitReport& report : result.reports) {
    if (++shown > k_shown) {
      streams.line(fmt::format("… and {} more (--output json lists all)", result.reports.size() - k_shown));
      break;
    }
    if (report.result != UnitResult::applied) {
      streams.line(fmt::format("{}: {}{}{}", to_string(report.result), printable(report.task),
                               report.detail.empty() ? "" : ": ", printable(report.detail)));
    }
    for (const SideEffect& effect : report.side_effects) {
      streams.line(fmt::format("side effect: {}: {}.{} is {} instead of {}", printable(report.task), effect.table,
                               effect.column, printable(to_display(effect.actual)),
                               printable(to_display(effect.planned))));
    }
  }
}

/// Why the run did not get to its end, and how long it waited.
void print_course(Streams& streams, const Plan& plan, const ApplyResult& result) {
  if (result.refused_all) {
    streams.line(fmt::format("--strict: nothing was written, because {} of {} could not be applied as planned",
                             result.reports.size(), plan_size_text(plan)));
  }
  if (!result.failure.empty()) {
    streams.line(fmt::format("ended early: {}; {} not tried, what is applied is durable", printable(result.failure),
                             counted(result.not_tried, "task")));
  }
  if (result.stopped) {
    streams.line(fmt::format("stopped{}: {} not tried, what is applied is durable",
                             result.stop_reason.empty() ? "" : " (" + printable(result.stop_reason) + ")",
                             counted(result.not_tried, "task")));
  }
  if (!result.pauses.empty()) {
    streams.line("paused " + pauses_text(result.pauses));
  }
}

void print_statuses(Streams& streams, const std::map<std::string, std::int64_t>& before,
                    const std::map<std::string, std::int64_t>& after) {
  std::map<std::string, std::pair<std::int64_t, std::int64_t>> statuses;
  for (const auto& [status, count] : before) {
    statuses[status].first = count;
  }
  for (const auto& [status, count] : after) {
    statuses[status].second = count;
  }
  std::string counts;
  for (const auto& [status, pair] : statuses) {
    counts += fmt::format(
        "{}{} {}", counts.empty() ? "" : ", ", printable(status),
        pair.first == pair.second ? fmt::to_string(pair.first) : fmt::format("{} → {}", pair.first, pair.second));
  }
  if (!after.empty()) {
    streams.line("rows per status: " + counts);
  }
}

}  // namespace

std::string unfinished_text(const Plan& plan, const ApplyResult& result) {
  constexpr std::size_t k_named = 3;
  std::vector<std::string> tasks;
  const auto add = [&tasks](const std::string& task, std::string_view why, const std::string& detail) {
    if (tasks.size() < k_named) {
      tasks.push_back(fmt::format("{}: {}{}{}", task, why, detail.empty() ? "" : ": ", detail));
    }
  };
  for (const LeftOut& left : plan.left_out) {
    add(left.task, to_string(left.why), left.detail);
  }
  for (const UnitReport& report : result.reports) {
    if (report.result != UnitResult::applied) {
      add(report.task, to_string(report.result), report.detail);
    }
  }
  return join(tasks, "; ");
}

std::string applied_text(const ApplyResult& result) {
  const RunRecord& run = result.run;
  const std::string before_it =
      result.applied_before == 0 ? "" : fmt::format(" ({} of them before)", result.applied_before);
  return fmt::format("applied {}{}, moved on {}, conflict {}, busy {}, failed {}", run.applied, before_it, run.moved_on,
                     run.conflicts, run.busy, run.failed);
}

void print_result(Streams& streams, const Plan& plan, const std::map<std::string, std::int64_t>& before,
                  const ApplyResult& result, const std::string& words) {
  if (plan.command == "cancel") {
    print_ended(streams, plan, result);
  }
  print_reports(streams, result);
  print_course(streams, plan, result);
  const RunRecord& run = result.run;
  streams.line(applied_text(result));
  print_statuses(streams, before, result.status_after);
  if (plan.remaining > 0) {
    streams.line(fmt::format("{} more beyond --limit", plan.remaining));
  }
  if (run.applied > 0) {
    streams.line(fmt::format("run {}; take it back with: taskctl undo {}{}", run.id, run.id, words));
    if (result.not_tried > 0) {
      streams.line(fmt::format("go on with the rest with: taskctl resume {}{}", run.id, words));
    }
  }
}

PlanJson::PlanJson(Streams& streams, const Plan& plan, const std::string& target, bool dry_run, const PlanCheck* check)
    : m_streams{streams}, m_plan{plan} {
  Json head;
  head["schema"] = "taskctl." + plan.command + "/1";
  head["target"] = target;
  head["profile"] = plan.profile;
  head["now"] = format_instant(plan.now);
  head["dry_run"] = dry_run;
  head["selection"] = selection_text(plan);
  head["reason"] = plan.reason;
  head["warnings"] = plan.warnings;
  head["task_count"] = plan.size();
  head["change_count"] = plan.change_count();
  head["remaining"] = plan.remaining;
  head["status_before"] = counts_json(plan.status_before);
  std::string text = dump(head);
  text.pop_back();
  m_streams.out(text + ",\n\"tasks\":[");
  bool first = true;
  plan.for_each([&](std::size_t index, const PlanUnit& unit) {
    Json json = to_json(unit, plan.now);
    if (check != nullptr) {
      json["freshness"] = to_string(check->freshness(index));
      json["freshness_detail"] = check->detail(index);
    }
    if (plan.command == "cancel") {
      // taskctl has no way to reach a worker: whoever cancels must know that it runs on.
      json["worker_told"] = false;
      json["worker_alive"] = unit.finding && unit.finding->liveness == Liveness::alive;
    }
    m_streams.out((first ? "\n" : ",\n") + dump(json));
    first = false;
  });
  m_streams.out(first ? "],\n\"left_out\":[" : "\n],\n\"left_out\":[");
  first = true;
  for (const LeftOut& left : plan.left_out) {
    m_streams.out((first ? "\n" : ",\n") + dump(to_json(left)));
    first = false;
  }
  m_streams.out(first ? "]" : "\n]");
  Json counts = Json::object();
  for (const auto& [why, count] : plan.left_out_counts) {
    counts[std::string{to_string(why)}] = count;
  }
  m_streams.out(",\n\"left_out_counts\":" + dump(counts));
}

void PlanJson::plan_file(const std::string& path, const PlanFileInfo& info) {
  const Json json{{"file", path},
                  {"command", m_plan.command},
                  {"nonce", m_plan.nonce},
                  {"taskctl", info.written_by},
                  {"created_at", format_instant(info.created)},
                  {"expires_at", format_instant(info.expires)},
                  {"sha256", info.sha256}};
  m_streams.out(",\n\"plan_file\":" + dump(json));
}

void PlanJson::problems(const std::vector<std::string>& problems) {
  m_streams.out(",\n\"problems\":" + dump(Json(problems)));
}

void PlanJson::result(const ApplyResult& result, const std::string& backup) {
  Json json;
  json["run"] = result.run.applied > 0 ? Json(result.run.id) : Json();
  json["backup"] = backup.empty() ? Json() : Json(backup);
  json["applied"] = result.run.applied;
  json["applied_before"] = result.applied_before;
  json["applied_tasks"] = result.applied;
  json["moved_on"] = result.run.moved_on;
  json["conflicts"] = result.run.conflicts;
  json["busy"] = result.run.busy;
  json["failed"] = result.run.failed;
  json["refused_all"] = result.refused_all;
  json["stopped"] = result.stopped;
  if (result.stopped) {
    json["stop_reason"] = result.stop_reason.empty() ? "a signal" : result.stop_reason;
  } else {
    json["stop_reason"] = nullptr;
  }
  json["pauses"] = Json::object();
  for (const auto& [why, length] : result.pauses) {
    json["pauses"][why] = std::chrono::duration<double>{length}.count();
  }
  json["failure"] = result.failure.empty() ? Json() : Json(result.failure);
  json["not_tried"] = result.not_tried;
  Json reports = Json::array();
  for (const UnitReport& report : result.reports) {
    reports.push_back(to_json(report));
  }
  json["reports"] = reports;
  json["status_after"] = counts_json(result.status_after);
  m_streams.out(",\n\"result\":" + dump(json));
}

void PlanJson::end(int exit_code) {
  const Json exit{{"code", exit_code}, {"name", exit_code_name(exit_code)}};
  m_streams.line(",\n\"exit\":" + dump(exit) + "}");
}

}  // namespace taskctl
