#include "store/facts_decoder.hpp"

#include "base/bytes.hpp"
#include "base/digest.hpp"
#include "store/row_values.hpp"

namespace taskctl {

namespace {

const Value& at(const Row& row, int position) {
  return row.at(static_cast<std::size_t>(position));
}

/// 1, 1.0 and "1" are three values.
void add_value(ByteWriter& out, const Value& value) {
  out.number(static_cast<std::int64_t>(value.index()));
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    out.number(*number);
  } else if (const auto* real = std::get_if<double>(&value)) {
    out.real(*real);
  } else if (!is_null(value)) {
    out.text(*text_of(value));
  }
}

}  // namespace

const ColumnEncoding& encoding_of(const Profile& profile, const Attribute& attribute) {
  if (attribute.encoding) {
    return *attribute.encoding;
  }
  return attribute.kind == Attribute::Kind::lookup ? encoding_or_default(profile, attribute.table, attribute.value)
                                                   : encoding_or_default(profile, profile.table, attribute.column);
}

const ColumnEncoding& encoding_or_default(const Profile& profile, const std::string& table, const std::string& column) {
  static const ColumnEncoding k_default{.read = {{.name = "timestamptz", .format = TimeFormat::timestamptz}},
                                        .write = {.name = "timestamptz", .format = TimeFormat::timestamptz}};
  const ColumnEncoding* encoding = profile.encoding_of(table, column);
  return encoding != nullptr ? *encoding : k_default;
}

FactsDecoder::FactsDecoder(const Profile& profile, FactsLayout layout)
    : m_layout{std::move(layout)}, m_table{profile.table} {
  const auto add_time = [&](int position, const Attribute& attribute, TimeFact TaskTimes::*member) {
    if (position >= 0) {
      m_times.push_back({position, &encoding_of(profile, attribute), member});
      m_own.push_back(static_cast<std::size_t>(position));
    }
  };
  add_time(m_layout.created, profile.times.created, &TaskTimes::created);
  add_time(m_layout.started, profile.times.started, &TaskTimes::started);
  add_time(m_layout.finished, profile.times.finished, &TaskTimes::finished);
  add_time(m_layout.updated, profile.times.updated, &TaskTimes::updated);
  add_time(m_layout.heartbeat, profile.times.heartbeat, &TaskTimes::heartbeat);
  add_time(m_layout.lease, profile.times.lease, &TaskTimes::lease);
  add_time(m_layout.claimed, profile.times.claimed, &TaskTimes::claimed);
  for (const TextColumn& column : {TextColumn{m_layout.kind, &Task::kind}, TextColumn{m_layout.worker, &Task::worker},
                                   TextColumn{m_layout.queue, &Task::queue}, TextColumn{m_layout.user, &Task::user},
                                   TextColumn{m_layout.error, &Task::error}}) {
    if (column.position >= 0) {
      m_texts.push_back(column);
      m_own.push_back(static_cast<std::size_t>(column.position));
    }
  }
  for (const int position : {m_layout.attempts_used, m_layout.attempts_limit}) {
    if (position >= 0) {
      m_own.push_back(static_cast<std::size_t>(position));
    }
  }
  m_own.push_back(m_layout.status);
  for (const LivenessSource& source : profile.liveness) {
    m_heartbeats.push_back(&encoding_or_default(profile, source.table, source.heartbeat));
  }
  if (profile.cancel_request) {
    const CancelRequestSource& source = *profile.cancel_request;
    m_requested = &encoding_or_default(profile, source.table.empty() ? profile.table : source.table, source.requested);
  }
  if (m_layout.image >= 0) {
    m_image_columns = std::make_shared<const std::vector<std::string>>(m_layout.image_columns);
  }
}

void FactsDecoder::decode_task(const Row& row, Task& task) const {
  for (std::size_t i = 0; i < m_layout.key_count; ++i) {
    const Value& part = row.at(m_layout.key + i);
    task.key.parts.push_back(text_of(part).value_or(to_display(part)));
  }
  task.status = text_of(row.at(m_layout.status));
  if (const std::optional<std::int64_t> code = integer_of(row.at(m_layout.task_class))) {
    task.task_class = static_cast<TaskClass>(*code);
  }
  for (const TextColumn& column : m_texts) {
    task.*column.member = text_of(at(row, column.position));
  }
  if (m_layout.attempts_used >= 0) {
    task.attempts_used = integer_of(at(row, m_layout.attempts_used));
  }
  if (m_layout.attempts_limit >= 0) {
    task.attempts_limit = integer_of(at(row, m_layout.attempts_limit));
  }
  for (const TimeColumn& time : m_times) {
    task.times.*time.member = decode_time(at(row, time.position), *time.encoding);
  }
}

void FactsDecoder::decode_liveness(const Row& row, TaskFacts& facts) const {
  for (std::size_t i = 0; i < m_layout.liveness.size(); ++i) {
    const FactsLayout::Live& live = m_layout.liveness[i];
    LivenessFact fact;
    if (live.found >= 0) {
      fact.row_found = flag_of(at(row, live.found));
      fact.heartbeat = decode_time(at(row, live.heartbeat), *m_heartbeats[i]);
    }
    if (live.verdict >= 0) {
      fact.verdict = text_of(at(row, live.verdict));
    }
    facts.liveness.push_back(std::move(fact));
  }
}

CancelRequestFact FactsDecoder::decode_request(const Row& row) const {
  CancelRequestFact request;
  if (m_layout.request_present >= 0) {
    request.present = flag_of(at(row, m_layout.request_present));
    request.requested = decode_time(at(row, m_layout.request_time), *m_requested);
  }
  if (m_layout.request_reason >= 0) {
    request.reason = text_of(at(row, m_layout.request_reason));
  }
  return request;
}

/// What the profile reads of the task, values of other tables included, and the row's version. Not what changes by
/// itself (the clock) or says who is alive (heartbeats of workers).
std::string FactsDecoder::fingerprint(const Row& row) const {
  constexpr std::string_view k_format = "1";
  constexpr std::size_t k_digits = 32;
  ByteWriter out;
  out.text(k_format);
  out.text(m_table);
  for (const std::size_t position : m_own) {
    add_value(out, row.at(position));
  }
  for (std::size_t i = 0; i < m_layout.version_count; ++i) {
    add_value(out, row.at(m_layout.version + i));
  }
  return sha256(out.bytes()).substr(0, k_digits);
}

TaskFacts FactsDecoder::decode(const Row& row) const {
  TaskFacts facts;
  decode_task(row, facts.task);
  facts.class_rule = static_cast<std::size_t>(integer_of(row.at(m_layout.class_rule)).value_or(0));
  decode_liveness(row, facts);
  facts.cancel_request = decode_request(row);
  for (const int hazard : m_layout.hazards) {
    facts.hazards.push_back(flag_of(at(row, hazard)));
  }
  if (m_layout.attempts_requeued >= 0) {
    facts.attempts_requeued = integer_of(at(row, m_layout.attempts_requeued));
  }
  if (m_image_columns) {
    const auto first = row.begin() + m_layout.image;
    facts.image = Image{m_image_columns, {first, first + static_cast<std::ptrdiff_t>(m_image_columns->size())}};
  }
  if (m_layout.version_count > 0) {
    facts.task.fingerprint = fingerprint(row);
  }
  return facts;
}

}  // namespace taskctl
