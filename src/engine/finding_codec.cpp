#include "engine/finding_codec.hpp"

#include "engine/lister.hpp"

namespace taskctl {

void encode(ByteWriter& out, const std::optional<std::string>& text) {
  out.number(text ? 1 : 0);
  if (text) {
    out.text(*text);
  }
}

std::optional<std::string> decode_optional_text(ByteReader& in) {
  if (in.number() == 0) {
    return std::nullopt;
  }
  return in.text();
}

void encode(ByteWriter& out, const std::optional<std::int64_t>& number) {
  out.number(number ? 1 : 0);
  if (number) {
    out.number(*number);
  }
}

std::optional<std::int64_t> decode_optional_number(ByteReader& in) {
  if (in.number() == 0) {
    return std::nullopt;
  }
  return in.number();
}

void encode(ByteWriter& out, const std::vector<std::string>& texts) {
  out.number(static_cast<std::int64_t>(texts.size()));
  for (const auto& text : texts) {
    out.text(text);
  }
}

std::vector<std::string> decode_texts(ByteReader& in) {
  std::vector<std::string> texts;
  for (auto left = in.number(); left > 0; --left) {
    texts.push_back(in.text());
  }
  return texts;
}

void encode(ByteWriter& out, const TimeFact& time) {
  encode_enum(out, time.state);
  out.number(time.at.time_since_epoch().count());
  out.text(time.raw);
}

TimeFact decode_time_fact(ByteReader& in) {
  TimeFact time;
  time.state = decode_enum<TimeFact::State>(in);
  time.at = Instant{Duration{in.number()}};
  time.raw = in.text();
  return time;
}

void encode(ByteWriter& out, const Task& task) {
  encode(out, task.key.parts);
  encode(out, task.status);
  out.number(task.task_class ? static_cast<std::int64_t>(*task.task_class) : -1);
  for (const auto* text : {&task.kind, &task.worker, &task.queue, &task.user, &task.error}) {
    encode(out, *text);
  }
  encode(out, task.attempts_used);
  encode(out, task.attempts_limit);
  const TaskTimes& t = task.times;
  for (const auto* time :
       {&t.created, &t.started, &t.finished, &t.updated, &t.heartbeat, &t.lease, &t.claimed, &t.first_seen}) {
    encode(out, *time);
  }
  out.text(task.fingerprint);
}

Task decode_task(ByteReader& in) {
  Task task;
  task.key.parts = decode_texts(in);
  task.status = decode_optional_text(in);
  if (const auto number = in.number(); number >= 0) {
    task.task_class = static_cast<TaskClass>(number);
  }
  for (auto* text : {&task.kind, &task.worker, &task.queue, &task.user, &task.error}) {
    *text = decode_optional_text(in);
  }
  task.attempts_used = decode_optional_number(in);
  task.attempts_limit = decode_optional_number(in);
  TaskTimes& t = task.times;
  for (auto* time :
       {&t.created, &t.started, &t.finished, &t.updated, &t.heartbeat, &t.lease, &t.claimed, &t.first_seen}) {
    *time = decode_time_fact(in);
  }
  task.fingerprint = in.text();
  return task;
}

void encode(ByteWriter& out, const Finding& finding) {
  encode(out, finding.task);
  encode(out, finding.table);
  encode_enum(out, finding.rule);
  encode_enum(out, finding.certainty);
  encode_enum(out, finding.outcome);
  encode_enum(out, finding.repair);
  out.number(static_cast<std::int64_t>(finding.evidence.size()));
  for (const auto& evidence : finding.evidence) {
    out.text(evidence.source);
    out.text(evidence.text);
  }
  out.number(static_cast<std::int64_t>(finding.also.size()));
  for (const auto rule : finding.also) {
    encode_enum(out, rule);
  }
  encode(out, finding.hazards);
  encode_enum(out, finding.liveness);
  std::optional<std::int64_t> since;
  if (finding.since) {
    since = finding.since->time_since_epoch().count();
  }
  encode(out, since);
  out.text(finding.note);
  encode(out, finding.request_reason);
  std::optional<std::int64_t> finished;
  if (finding.finished) {
    finished = finding.finished->time_since_epoch().count();
  }
  encode(out, finished);
  encode(out, finding.said);
}

Finding decode_finding(ByteReader& in) {
  Finding finding;
  finding.task = decode_task(in);
  finding.table = decode_optional_text(in);
  finding.rule = decode_enum<Rule>(in);
  finding.certainty = decode_enum<Certainty>(in);
  finding.outcome = decode_enum<Outcome>(in);
  finding.repair = decode_enum<Repair>(in);
  for (auto left = in.number(); left > 0; --left) {
    std::string source = in.text();
    finding.evidence.push_back({std::move(source), in.text()});
  }
  for (auto left = in.number(); left > 0; --left) {
    finding.also.push_back(decode_enum<Rule>(in));
  }
  finding.hazards = decode_texts(in);
  finding.liveness = decode_enum<Liveness>(in);
  if (const auto since = decode_optional_number(in)) {
    finding.since = Instant{Duration{*since}};
  }
  finding.note = in.text();
  finding.request_reason = decode_optional_text(in);
  if (const auto finished = decode_optional_number(in)) {
    finding.finished = Instant{Duration{*finished}};
  }
  finding.said = decode_optional_text(in);
  return finding;
}

std::string encode_item(const ListItem& item) {
  ByteWriter out;
  out.number(sort_time(item.finding).time_since_epoch().count());
  encode(out, item.finding);
  out.number(item.fine ? 1 : 0);
  return out.bytes();
}

Instant sort_time(const Finding& finding) {
  return finding.since.value_or(Instant::max());
}

Instant decode_sort_time(std::string_view item) {
  return Instant{Duration{ByteReader{item}.number()}};
}

ListItem decode_item(std::string_view bytes) {
  ByteReader in{bytes};
  in.number();  // the time to sort by
  ListItem item;
  item.finding = decode_finding(in);
  item.fine = in.number() != 0;
  return item;
}

}  // namespace taskctl
