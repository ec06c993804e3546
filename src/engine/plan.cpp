#include "engine/plan.hpp"

#include <algorithm>

#include "base/digest.hpp"
#include "base/error.hpp"
#include "engine/change_codec.hpp"
#include "engine/finding_codec.hpp"
#include "model/names.hpp"

namespace taskctl {

namespace {

constexpr auto k_why_names = std::to_array<Name<LeftOut::Why>>({
    {LeftOut::Why::needs_max_age, "needs-max-age"},
    {LeftOut::Why::undecided, "undecided"},
    {LeftOut::Why::hazard, "hazard"},
    {LeftOut::Why::reported_only, "reported-only"},
    {LeftOut::Why::over_limit, "over-limit"},
    {LeftOut::Why::already_over, "already-over"},
    {LeftOut::Why::already_cancelled, "already-cancelled"},
    {LeftOut::Why::needs_force, "needs-force"},
    {LeftOut::Why::unknown, "unknown"},
    {LeftOut::Why::unknown_age, "unknown-age"},
    {LeftOut::Why::not_repairable, "not-repairable"},
    {LeftOut::Why::changed_since, "changed-since"},
    {LeftOut::Why::unaddressable, "unaddressable"},
    {LeftOut::Why::nothing_to_do, "nothing-to-do"},
    {LeftOut::Why::worker_alive, "worker-alive"},
    {LeftOut::Why::too_fresh, "too-fresh"},
    {LeftOut::Why::applied_before, "applied-before"},
});

void encode_instant(ByteWriter& out, const std::optional<Instant>& at) {
  out.number(at ? 1 : 0);
  out.number(at ? at->time_since_epoch().count() : 0);
}

void encode_duration(ByteWriter& out, const std::optional<Duration>& length) {
  out.number(length ? 1 : 0);
  out.number(length ? length->count() : 0);
}

void encode_selector(ByteWriter& out, const Selector& selector) {
  for (const std::vector<std::string>* field :
       {&selector.ids, &selector.workers, &selector.kinds, &selector.queues, &selector.users, &selector.statuses}) {
    encode(out, *field);
  }
  out.number(static_cast<std::int64_t>(selector.rules.size()));
  for (const Rule rule : selector.rules) {
    out.text(to_string(rule));
  }
  out.number(static_cast<std::int64_t>(selector.certainties.size()));
  for (const Certainty certainty : selector.certainties) {
    out.text(to_string(certainty));
  }
}

void encode_policy(ByteWriter& out, const Policy& policy) {
  encode_duration(out, policy.max_age);
  out.number(policy.max_age_given ? 1 : 0);
  encode_duration(out, policy.reap);
  encode_duration(out, policy.settle);
  encode_duration(out, policy.cancel_grace);
  encode_duration(out, policy.young);
  encode_duration(out, policy.queued_max_age);
  encode(out, std::vector<std::string>{policy.accepted_hazards.begin(), policy.accepted_hazards.end()});
  for (const std::optional<Outcome>& outcome : {policy.outcome, policy.overdue, policy.dead}) {
    out.text(outcome ? to_string(*outcome) : std::string_view{});
  }
  out.number(policy.evidence ? 1 : 0);
  out.number(policy.presumed_dead ? 1 : 0);
  out.text(policy.presumed_dead.value_or(""));
  if (policy.alive) {
    out.text(policy.alive->source);
  }
}

void encode_left_out(ByteWriter& out, const Plan& plan) {
  for (const LeftOut& left : plan.left_out) {
    out.text(left.task);
    out.text(to_string(left.why));
    out.text(left.detail);
  }
  for (const auto& [why, count] : plan.left_out_counts) {
    out.text(to_string(why));
    out.number(count);
  }
  out.number(plan.remaining);
  for (const auto& [status, count] : plan.status_before) {
    out.text(status);
    out.number(count);
  }
  encode(out, plan.warnings);
}

std::string encode_header(const Plan& plan) {
  ByteWriter out;
  for (const std::string* field : {&plan.command, &plan.identity, &plan.profile, &plan.profile_hash,
                                   &plan.schema_fingerprint, &plan.reason, &plan.undoes, &plan.nonce}) {
    out.text(*field);
  }
  encode_instant(out, plan.now);
  encode_instant(out, plan.given_now);
  out.number(plan.force ? 1 : 0);
  encode_selector(out, plan.selector);
  encode_policy(out, plan.policy);
  encode_left_out(out, plan);
  return out.bytes();
}

}  // namespace

std::string_view to_string(LeftOut::Why why) {
  return name_of(k_why_names, why);
}

void Plan::leave_out(LeftOut left) {
  ++left_out_counts[left.why];
  if (left_out.size() < k_left_out_kept) {
    left_out.push_back(std::move(left));
  }
}

void Plan::append(const PlanUnit& unit) {
  const std::size_t index = m_positions.size();
  for (const std::size_t dependency : unit.depends_on) {
    if (dependency >= index) {
      throw Error{ExitCode::bug, "the change of '" + unit.task + "' depends on one that comes after it"};
    }
    m_last_dependent[dependency] = index;
  }
  m_positions.push_back(m_units.append(encode_unit(unit)));
  for (const Change& change : unit.changes) {
    ++m_tables[change.table];
  }
  m_changes += static_cast<std::int64_t>(unit.changes.size());
  m_rows += unit.finding && unit.finding->table ? 1U : 0U;
}

PlanUnit Plan::unit(std::size_t index) const {
  return decode_unit(m_units.read(m_positions.at(index)));
}

void Plan::for_each(const std::function<void(std::size_t, const PlanUnit&)>& visit) const {
  std::size_t index = 0;
  m_units.for_each([&](std::string_view record) { visit(index++, decode_unit(record)); });
}

std::size_t Plan::batch_end(std::size_t begin, std::size_t wanted) const {
  std::size_t end = std::min(size(), begin + std::max<std::size_t>(wanted, 1));
  for (auto at = m_last_dependent.lower_bound(begin); at != m_last_dependent.end() && at->first < end; ++at) {
    end = std::max(end, at->second + 1);
  }
  return end;
}

std::vector<TableName> Plan::tables() const {
  std::vector<TableName> names;
  names.reserve(m_tables.size());
  for (const auto& entry : m_tables) {
    names.push_back(entry.first);
  }
  return names;
}

std::string Plan::hash() const {
  // A chain, so that the units need not be in memory together.
  std::string digest = sha256(encode_header(*this));
  m_units.for_each([&digest](std::string_view record) { digest = sha256(digest.append(record)); });
  return digest;
}

std::string encode_unit(const PlanUnit& unit) {
  ByteWriter out;
  out.text(unit.task);
  out.text(unit.reason);
  out.number(unit.finding ? 1 : 0);
  if (unit.finding) {
    encode(out, *unit.finding);
  }
  out.number(static_cast<std::int64_t>(unit.changes.size()));
  for (const Change& change : unit.changes) {
    encode(out, change);
  }
  out.number(static_cast<std::int64_t>(unit.depends_on.size()));
  for (const std::size_t dependency : unit.depends_on) {
    out.number(static_cast<std::int64_t>(dependency));
  }
  return out.bytes();
}

PlanUnit decode_unit(std::string_view bytes) {
  ByteReader in{bytes};
  PlanUnit unit;
  unit.task = in.text();
  unit.reason = in.text();
  if (in.number() != 0) {
    unit.finding = decode_finding(in);
  }
  unit.changes.resize(static_cast<std::size_t>(in.number()));
  for (Change& change : unit.changes) {
    change = decode_change(in);
  }
  unit.depends_on.resize(static_cast<std::size_t>(in.number()));
  for (std::size_t& dependency : unit.depends_on) {
    dependency = static_cast<std::size_t>(in.number());
  }
  return unit;
}

}  // namespace taskctl
