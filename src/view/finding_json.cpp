#include "view/finding_json.hpp"

#include <array>
#include <utility>

#include "base/timestamp.hpp"

namespace taskctl {

namespace {

constexpr auto k_task_times = std::to_array<std::pair<const char*, TimeFact TaskTimes::*>>({
    {"created", &TaskTimes::created},
    {"started", &TaskTimes::started},
    {"finished", &TaskTimes::finished},
    {"updated", &TaskTimes::updated},
    {"heartbeat", &TaskTimes::heartbeat},
    {"lease", &TaskTimes::lease},
    {"claimed", &TaskTimes::claimed},
    {"first_seen", &TaskTimes::first_seen},
});

constexpr auto k_task_texts = std::to_array<std::pair<const char*, std::optional<std::string> Task::*>>({
    {"status", &Task::status},
    {"kind", &Task::kind},
    {"worker", &Task::worker},
    {"queue", &Task::queue},
    {"user", &Task::user},
    {"error", &Task::error},
});

bool is_writable(Instant at) {
  using namespace std::chrono;
  constexpr Instant k_first{sys_days{year{1} / January / 1}};
  constexpr Instant k_end{sys_days{year{10000} / January / 1}};
  return at >= k_first && at < k_end;
}

/// A string: known. An object with what else there may be.
StoredJson stored_time(const TimeFact& time) {
  if (time.known() && time.raw.empty()) {
    return stored_instant(time.at);
  }
  return {{"state", static_cast<int>(time.state)}, {"at", stored_instant(time.at)}, {"raw", stored_text(time.raw)}};
}

TimeFact read_stored_time(const StoredJson& json) {
  TimeFact time;
  if (!json.is_object()) {
    time.state = TimeFact::State::known;
    time.at = read_stored_instant(json);
    return time;
  }
  const int state = json.at("state").get<int>();
  if (state < static_cast<int>(TimeFact::State::absent) || state > static_cast<int>(TimeFact::State::unreadable)) {
    throw Error{ExitCode::mismatch, "a time has a state that taskctl did not write"};
  }
  time.state = static_cast<TimeFact::State>(state);
  time.at = read_stored_instant(json.at("at"));
  time.raw = read_stored_text(json.at("raw"));
  return time;
}

bool is_plainly_absent(const TimeFact& time) {
  return time.absent() && time.at == Instant{} && time.raw.empty();
}

/// What is not there is not written.
StoredJson stored_task(const Task& task) {
  StoredJson json{{"key", stored_texts(task.key.parts)}};
  for (const auto& [name, member] : k_task_texts) {
    if (task.*member) {
      json[name] = stored_text(*(task.*member));
    }
  }
  if (task.task_class) {
    json["class"] = to_string(*task.task_class);
  }
  if (task.attempts_used) {
    json["attempts_used"] = *task.attempts_used;
  }
  if (task.attempts_limit) {
    json["attempts_limit"] = *task.attempts_limit;
  }
  for (const auto& [name, member] : k_task_times) {
    if (!is_plainly_absent(task.times.*member)) {
      json[name] = stored_time(task.times.*member);
    }
  }
  if (!task.fingerprint.empty()) {
    json["fingerprint"] = stored_text(task.fingerprint);
  }
  return json;
}

Task read_stored_task(const StoredJson& json) {
  Task task;
  task.key.parts = read_stored_texts(json.at("key"));
  if (task.key.parts.empty()) {
    throw Error{ExitCode::mismatch, "a task has no key"};
  }
  for (const auto& [name, member] : k_task_texts) {
    if (json.contains(name)) {
      task.*member = read_stored_text(json.at(name));
    }
  }
  if (json.contains("class")) {
    task.task_class = read_enum<TaskClass>(json.at("class"));
  }
  if (json.contains("attempts_used")) {
    task.attempts_used = json.at("attempts_used").get<std::int64_t>();
  }
  if (json.contains("attempts_limit")) {
    task.attempts_limit = json.at("attempts_limit").get<std::int64_t>();
  }
  for (const auto& [name, member] : k_task_times) {
    if (json.contains(name)) {
      task.times.*member = read_stored_time(json.at(name));
    }
  }
  if (json.contains("fingerprint")) {
    task.fingerprint = read_stored_text(json.at("fingerprint"));
  }
  return task;
}

void store_if_given(StoredJson& json, const char* name, const std::optional<std::string>& text) {
  if (text) {
    json[name] = stored_text(*text);
  }
}

std::optional<std::string> text_if_given(const StoredJson& json, const char* name) {
  return json.contains(name) ? std::optional{read_stored_text(json.at(name))} : std::nullopt;
}

}  // namespace

StoredJson stored_instant(Instant at) {
  return is_writable(at) ? StoredJson(format_instant(at)) : StoredJson(at.time_since_epoch().count());
}

Instant read_stored_instant(const StoredJson& json) {
  return json.is_string() ? parse_instant(json.get<std::string>(), "time")
                          : Instant{Duration{json.get<std::int64_t>()}};
}

StoredJson stored_texts(const std::vector<std::string>& texts) {
  StoredJson array = StoredJson::array();
  for (const std::string& text : texts) {
    array.push_back(stored_text(text));
  }
  return array;
}

std::vector<std::string> read_stored_texts(const StoredJson& json) {
  std::vector<std::string> texts;
  for (const StoredJson& entry : json) {
    texts.push_back(read_stored_text(entry));
  }
  return texts;
}

StoredJson stored_optional_text(const std::optional<std::string>& text) {
  return text ? stored_text(*text) : StoredJson();
}

std::optional<std::string> read_stored_optional_text(const StoredJson& json) {
  return json.is_null() ? std::nullopt : std::optional{read_stored_text(json)};
}

StoredJson stored_finding(const Finding& finding) {
  StoredJson json{{"rule", to_string(finding.rule)},
                  {"certainty", to_string(finding.certainty)},
                  {"outcome", to_string(finding.outcome)},
                  {"repair", to_string(finding.repair)},
                  {"liveness", to_string(finding.liveness)}};
  store_if_given(json, "table", finding.table);
  if (finding.since) {
    json["since"] = stored_instant(*finding.since);
  }
  if (finding.finished) {
    json["finished_then"] = stored_instant(*finding.finished);
  }
  StoredJson evidence = StoredJson::array();
  for (const Evidence& one : finding.evidence) {
    evidence.push_back(StoredJson::array({stored_text(one.source), stored_text(one.text)}));
  }
  json["evidence"] = std::move(evidence);
  StoredJson also = StoredJson::array();
  for (const Rule rule : finding.also) {
    also.push_back(to_string(rule));
  }
  json["also"] = std::move(also);
  json["hazards"] = stored_texts(finding.hazards);
  json["note"] = stored_text(finding.note);
  store_if_given(json, "request_reason", finding.request_reason);
  store_if_given(json, "said", finding.said);
  json["task"] = stored_task(finding.task);
  return json;
}

Finding read_stored_finding(const StoredJson& json) {
  Finding finding;
  finding.rule = read_enum<Rule>(json.at("rule"));
  finding.certainty = read_enum<Certainty>(json.at("certainty"));
  finding.outcome = read_enum<Outcome>(json.at("outcome"));
  finding.repair = read_enum<Repair>(json.at("repair"));
  finding.liveness = read_enum<Liveness>(json.at("liveness"));
  finding.table = text_if_given(json, "table");
  if (json.contains("since")) {
    finding.since = read_stored_instant(json.at("since"));
  }
  if (json.contains("finished_then")) {
    finding.finished = read_stored_instant(json.at("finished_then"));
  }
  for (const StoredJson& pair : json.at("evidence")) {
    finding.evidence.push_back({read_stored_text(pair.at(0)), read_stored_text(pair.at(1))});
  }
  for (const StoredJson& rule : json.at("also")) {
    finding.also.push_back(read_enum<Rule>(rule));
  }
  finding.hazards = read_stored_texts(json.at("hazards"));
  finding.note = read_stored_text(json.at("note"));
  finding.request_reason = text_if_given(json, "request_reason");
  finding.said = text_if_given(json, "said");
  finding.task = read_stored_task(json.at("task"));
  return finding;
}

}  // namespace taskctl
