#include "view/json.hpp"

#include <chrono>

#include "base/text.hpp"
#include "base/timestamp.hpp"
#include "store/value_json.hpp"

namespace taskctl {

namespace {

Json optional_text(const std::optional<std::string>& text) {
  return text ? Json(*text) : Json(nullptr);
}

Json text_or_null(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(text);
}

Json optional_instant(const std::optional<Instant>& instant) {
  return instant ? Json(format_instant(*instant)) : Json(nullptr);
}

template <typename Enum>
Json name_of(Enum value) {
  return std::string{to_string(value)};
}

Json image_json(const std::optional<Image>& image) {
  if (!image || !image->columns) {
    return nullptr;
  }
  Json object = Json::object();
  for (std::size_t i = 0; i < image->values.size(); ++i) {
    object[image->columns->at(i)] = to_json(image->values[i]);
  }
  return object;
}

Json row_key_json(const RowKey& key) {
  Json object = Json::object();
  for (std::size_t i = 0; i < key.columns.size(); ++i) {
    object[key.columns[i]] = to_json(key.values[i]);
  }
  return object;
}

Json side_effects_json(const std::vector<SideEffect>& effects) {
  Json list = Json::array();
  for (const SideEffect& effect : effects) {
    list.push_back({{"table", effect.table},
                    {"column", effect.column},
                    {"planned", to_json(effect.planned)},
                    {"actual", to_json(effect.actual)}});
  }
  return list;
}

template <typename Enum>
Json counts_json(const std::map<Enum, std::int64_t>& counts) {
  Json object = Json::object();
  for (const auto& [key, count] : counts) {
    object[std::string{to_string(key)}] = count;
  }
  return object;
}

Json classes_json(const ListSummary& summary) {
  const auto count_in = [](const std::map<TaskClass, std::int64_t>& counts, TaskClass task_class) {
    const auto found = counts.find(task_class);
    return found == counts.end() ? 0 : found->second;
  };
  Json object = Json::object();
  for (const TaskClass task_class : k_task_classes) {
    if (summary.stuck_by_class.contains(task_class) || summary.fine_by_class.contains(task_class)) {
      object[std::string{to_string(task_class)}] = {{"stuck", count_in(summary.stuck_by_class, task_class)},
                                                    {"fine", count_in(summary.fine_by_class, task_class)}};
    }
  }
  return object;
}

/// null for a task that is named although nothing is wrong with it; what is only reported has no certainty either.
Json rule_json(const Finding& finding) {
  const bool reported =
      finding.rule == Rule::clock || finding.rule == Rule::unreadable || finding.rule == Rule::settling;
  return finding.certainty == Certainty::none && !reported ? Json(nullptr) : name_of(finding.rule);
}

}  // namespace

Json key_json(const TaskKey& key) {
  return key.parts.size() == 1 ? Json(key.parts.front()) : Json(key.parts);
}

Json time_json(const TimeFact& time) {
  switch (time.state) {
    case TimeFact::State::known:
      return format_instant(time.at);
    case TimeFact::State::unreadable:
      return {{"unreadable", time.raw}};
    case TimeFact::State::absent:
      break;
  }
  return nullptr;
}

Json to_json(const Value& value) {
  return stored_value(value);
}

Json to_json(const Task& task, std::optional<Duration> age) {
  Json json{{"id", key_json(task.key)},
            {"status", optional_text(task.status)},
            {"class", task.task_class ? name_of(*task.task_class) : Json(nullptr)},
            {"kind", optional_text(task.kind)},
            {"worker", optional_text(task.worker)},
            {"queue", optional_text(task.queue)},
            {"user", optional_text(task.user)},
            {"started_at", time_json(task.times.started)},
            {"finished_at", time_json(task.times.finished)},
            {"created_at", time_json(task.times.created)},
            {"updated_at", time_json(task.times.updated)},
            {"age_seconds", age ? Json(std::chrono::floor<std::chrono::seconds>(*age).count()) : Json(nullptr)}};
  if (!task.times.first_seen.absent()) {
    json["first_seen_at"] = time_json(task.times.first_seen);
  }
  return json;
}

Json to_json(const Finding& finding, Instant now) {
  Json evidence = Json::array();
  for (const Evidence& one : finding.evidence) {
    evidence.push_back({{"source", one.source}, {"text", one.text}});
  }
  Json also = Json::array();
  for (const Rule rule : finding.also) {
    also.push_back(name_of(rule));
  }
  return {{"task", to_json(finding.task, age_of(finding, now))},
          {"table", optional_text(finding.table)},
          {"rule", rule_json(finding)},
          {"certainty", name_of(finding.certainty)},
          {"outcome", name_of(finding.outcome)},
          {"repair", name_of(finding.repair)},
          {"evidence", std::move(evidence)},
          {"also", std::move(also)},
          {"hazards", finding.hazards},
          {"note", finding.note}};
}

Json to_json(const ListSummary& summary) {
  return {{"stuck", summary.stuck},
          {"fine", summary.fine},
          {"settling", summary.settling},
          {"clock", summary.clock},
          {"unreadable", summary.unreadable},
          {"repairable", summary.repairable},
          {"left_for_max_age", summary.left_for_max_age},
          {"undecided", summary.undecided},
          {"classes", classes_json(summary)},
          {"rules", counts_json(summary.by_rule)},
          {"certainty", counts_json(summary.by_certainty)}};
}

Json to_json(const Change& change) {
  return {{"operation", name_of(change.operation)}, {"table", change.table.display()},
          {"key", row_key_json(change.key)},        {"before", image_json(change.before)},
          {"after", image_json(change.after)},      {"written", change.written}};
}

Json to_json(const PlanUnit& unit, Instant now) {
  Json changes = Json::array();
  for (const Change& change : unit.changes) {
    changes.push_back(to_json(change));
  }
  return {{"task", unit.task},
          {"reason", unit.reason},
          {"finding", unit.finding ? to_json(*unit.finding, now) : Json(nullptr)},
          {"changes", std::move(changes)},
          {"depends_on", unit.depends_on}};
}

Json to_json(const UnitReport& report) {
  return {{"task", report.task},
          {"result", name_of(report.result)},
          {"detail", report.detail},
          {"rule", report.finding ? rule_json(*report.finding) : Json(nullptr)},
          {"outcome", report.finding ? name_of(report.finding->outcome) : Json(nullptr)},
          {"side_effects", side_effects_json(report.side_effects)}};
}

Json to_json(const LeftOut& left) {
  return {{"task", left.task},
          {"why", name_of(left.why)},
          {"detail", left.detail},
          {"rule", left.finding ? rule_json(*left.finding) : Json(nullptr)},
          {"certainty", left.finding ? name_of(left.finding->certainty) : Json(nullptr)}};
}

Json to_json(const RunRecord& run) {
  return {{"id", run.id},
          {"command", run.command},
          {"state", name_of(run.state)},
          {"started_at", format_instant(run.started)},
          {"finished_at", optional_instant(run.finished)},
          {"author",
           {{"user", run.author.user},
            {"sudo_user", text_or_null(run.author.sudo_user)},
            {"host", run.author.host},
            {"pid", run.author.pid}}},
          {"reason", run.reason},
          {"arguments", run.arguments},
          {"version", run.version},
          {"profile", run.profile},
          {"profile_hash", run.profile_hash},
          {"plan_hash", run.plan_hash},
          {"undoes", text_or_null(run.undoes)},
          {"backup", text_or_null(run.backup)},
          {"detection_now", optional_instant(run.detection_now)},
          {"counts",
           {{"applied", run.applied},
            {"moved_on", run.moved_on},
            {"conflicts", run.conflicts},
            {"busy", run.busy},
            {"failed", run.failed}}}};
}

Json to_json(const JournalEntry& entry) {
  return {{"sequence", entry.sequence},
          {"task", entry.task},
          {"rule", text_or_null(entry.rule)},
          {"outcome", entry.outcome},
          {"change", to_json(entry.change)},
          {"side_effects", side_effects_json(entry.side_effects)},
          {"applied_at", format_instant(entry.applied_at)}};
}

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string dump_pretty(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

Json error_json(int code, const std::string& message, const std::string& hint) {
  return {{"error",
           {{"code", code},
            {"name", std::string{exit_code_name(code)}},
            {"message", message},
            {"hint", text_or_null(hint)}}}};
}

}  // namespace taskctl
