#include "engine/judge.hpp"

#include <array>

#include "base/duration.hpp"
#include "base/text.hpp"
#include "engine/evidence.hpp"
#include "engine/odd_rows.hpp"
#include "engine/remedy.hpp"
#include "engine/task_age.hpp"

namespace taskctl {

namespace {

Certainty certainty_of(Rule rule, bool suspect) {
  switch (rule) {
    case Rule::contradiction:
    case Rule::result_over:
    case Rule::cancel_requested:
    case Rule::missing_finished_time:
    case Rule::cancel_overwritten:
    case Rule::duplicate_result:
    case Rule::attempts_over_limit:
    case Rule::started_after_finished:
    case Rule::bulk_finished:
    case Rule::claim_without_task:
    case Rule::active_without_claim:
    case Rule::result_without_task:
    case Rule::worker_task_over:
    case Rule::lock_of_ended_task:
    case Rule::request_left_behind:
    case Rule::accounts_wrong:
      return Certainty::certain;
    case Rule::dead:
    case Rule::never_assigned:
      return suspect ? Certainty::possible : Certainty::probable;
    case Rule::overdue:
    case Rule::waiting:
      return Certainty::possible;
    case Rule::clock:
    case Rule::unreadable:
    case Rule::settling:
      break;
  }
  return Certainty::none;
}

/// All rules over one task. What several rules need is worked out once, in the constructor.
class TaskJudge {
 public:
  TaskJudge(const TaskFacts& facts, const JudgeContext& context);
  [[nodiscard]] Judgement run() const;

 private:
  using Check = Opinion (TaskJudge::*)() const;
  struct NamedCheck {
    Rule rule;
    Check check;
  };

  [[nodiscard]] Opinion contradiction() const;
  [[nodiscard]] Opinion result_over() const;
  [[nodiscard]] Opinion cancel_requested() const;
  [[nodiscard]] Opinion missing_finished_time() const;
  [[nodiscard]] Opinion cancel_overwritten() const { return judge_cancel_overwritten(m_facts, m_context, m_fresh); }
  [[nodiscard]] Opinion duplicate_result() const { return judge_duplicate_result(m_facts, m_context, m_fresh); }
  [[nodiscard]] Opinion dead() const;
  [[nodiscard]] Opinion never_assigned() const;
  [[nodiscard]] Opinion overdue() const;
  [[nodiscard]] Opinion waiting() const;
  [[nodiscard]] Opinion clock() const;
  [[nodiscard]] Opinion unreadable() const;
  [[nodiscard]] Opinion attempts_over_limit() const { return judge_attempts(m_facts, m_context, m_fresh); }
  [[nodiscard]] Opinion started_after_finished() const { return judge_order_of_times(m_facts, m_context, m_fresh); }
  [[nodiscard]] Opinion bulk_finished() const { return judge_bulk_finished(m_facts, m_context); }
  [[nodiscard]] Opinion settling() const;

  [[nodiscard]] bool is(TaskClass task_class) const { return m_task.task_class == task_class; }
  [[nodiscard]] bool is_active() const { return is(TaskClass::active); }
  [[nodiscard]] std::string status_text() const;
  [[nodiscard]] std::string not_active() const { return "not active: " + status_text(); }
  [[nodiscard]] std::string freshness() const;
  [[nodiscard]] std::string silence() const;
  [[nodiscard]] std::string settled_age_problem() const;
  [[nodiscard]] std::string liveness_text(Liveness said) const;
  [[nodiscard]] Evidence since_evidence() const;
  [[nodiscard]] bool is_suspect(Rule rule) const;
  [[nodiscard]] std::string doubt(Rule rule) const;
  [[nodiscard]] std::string fine_because() const;
  [[nodiscard]] Finding finding(Rule rule, Opinion opinion, std::vector<Rule> also) const;

  const TaskFacts& m_facts;
  const JudgeContext& m_context;
  const Task& m_task;
  const Policy& m_policy;
  const Instant m_now;
  const TimeFact& m_finished;
  std::string m_finished_name;
  Since m_since;
  LivenessVerdict m_liveness;
  bool m_marked = false;       ///< its [[class]] entry is marked as a contradiction
  bool m_ended = false;        ///< a finished time stands on a task that is not over
  std::string m_fresh;         ///< why the row may be in the middle of a change; empty: it is settled
  std::string m_out_of_order;  ///< finished before started; empty: not
  std::string m_unreadable;    ///< the finished time, or the start it is compared with, cannot be read
};

TaskJudge::TaskJudge(const TaskFacts& facts, const JudgeContext& context)
    : m_facts{facts},
      m_context{context},
      m_task{facts.task},
      m_policy{context.policy},
      m_now{context.now},
      m_finished{facts.task.times.finished},
      m_finished_name{source_name(context.profile.times.finished, "finished")},
      m_since{since_of(facts.task, context.profile)},
      m_liveness{judge_liveness(facts, context)} {
  const auto& classes = context.profile.classes;
  m_marked = m_task.task_class && facts.class_rule < classes.size() && classes[facts.class_rule].contradiction;
  const bool open = m_task.task_class && !is_terminal(*m_task.task_class);
  m_ended = open && m_finished.known();
  m_fresh = freshness();
  const TimeFact& started = m_task.times.started;
  if (m_ended && started.known() && m_finished.at < started.at) {
    m_out_of_order = m_finished_name + " lies before " + source_name(context.profile.times.started, "started") +
                     ": it may be of an earlier attempt";
  }
  if ((open || m_marked) && m_finished.unreadable()) {
    m_unreadable = m_finished_name + " cannot be read ('" + printable(m_finished.raw) + "')";
  } else if (m_ended && started.unreadable()) {
    m_unreadable = m_since.problem + ", so " + m_finished_name + " cannot be compared with it";
  }
}

std::string TaskJudge::status_text() const {
  const std::string status = m_task.status ? "'" + printable(*m_task.status) + "'" : "NULL";
  if (!m_task.task_class) {
    return "status " + status + " is not mapped by the profile";
  }
  return "status " + status + " is " + std::string{to_string(*m_task.task_class)};
}

/// Empty when the newest time of the row is older than `settle`. A row without any has not changed since taskctl first
/// saw it as it is now.
std::string TaskJudge::freshness() const {
  std::string what = "the newest time of the row is ";
  auto newest = newest_time(m_task.times);
  if (!newest && m_task.times.first_seen.known()) {
    newest = m_task.times.first_seen.at;
    what = "the row was first seen as it is now ";
  }
  if (!newest) {
    return "no time of the row is known, so it may have changed just now";
  }
  if (m_now - *newest > m_policy.settle) {
    return {};
  }
  return what + distance(*newest, m_now) + ", not older than " + format_duration(m_policy.settle);
}

/// Why nothing but a contradiction may be concluded; empty when the other rules have their say.
std::string TaskJudge::silence() const {
  if (!m_unreadable.empty()) {
    return m_unreadable;
  }
  if (m_ended && m_out_of_order.empty() && !m_fresh.empty()) {
    return m_finished_name + " is set and " + m_fresh + ": the application may be about to set the status";
  }
  return {};
}

/// Empty when the task is known to be at it for longer than `settle`.
std::string TaskJudge::settled_age_problem() const {
  if (!m_since.at) {
    return m_since.problem;
  }
  if (m_now - *m_since.at > m_policy.settle) {
    return {};
  }
  return m_since.source + " " + distance(*m_since.at, m_now) + ", not older than " + format_duration(m_policy.settle);
}

std::string TaskJudge::liveness_text(Liveness said) const {
  std::string text;
  for (std::size_t i = 0; i < m_liveness.sources.size(); ++i) {
    if (m_liveness.says[i] == said) {
      text += (text.empty() ? "" : "; ") + m_liveness.sources[i].text;
    }
  }
  return text;
}

Evidence TaskJudge::since_evidence() const {
  if (m_since.sighted) {
    return {m_since.source, "first seen active " + distance(*m_since.at, m_now) + " by taskctl, as it is now"};
  }
  const std::string kind = m_task.times.started.known() ? " is the start, " : " stands in for the start, ";
  return {m_since.source, m_since.source + kind + distance(*m_since.at, m_now)};
}

Opinion TaskJudge::contradiction() const {
  if (!m_task.task_class) {
    return quiet(status_text());
  }
  if (!m_unreadable.empty()) {
    return quiet(m_unreadable);
  }
  if (!m_marked && !m_ended) {
    return quiet(m_finished.absent() ? m_finished_name + " is not set" : status_text());
  }
  if (!m_out_of_order.empty() || !m_fresh.empty()) {
    return quiet(m_out_of_order.empty() ? m_fresh : m_out_of_order);
  }
  std::vector<Evidence> evidence;
  if (m_ended) {
    evidence.push_back({m_finished_name, m_finished_name + " is set, " + distance(m_finished.at, m_now)});
  }
  const std::string status_column = source_name(m_context.profile.status, "status");
  evidence.push_back({status_column, status_text() + (m_marked ? ", which the profile calls a contradiction" : "")});
  return fire(std::move(evidence));
}

Opinion TaskJudge::result_over() const {
  Opinion opinion = judge_result_over(m_facts, m_context);
  std::string reason = opinion.fired ? silence() : std::string{};
  return reason.empty() ? opinion : quiet(std::move(reason));
}

Opinion TaskJudge::cancel_requested() const {
  if (!m_facts.cancel_request.present) {
    return quiet("nobody asked to cancel it");
  }
  if (!is_active() && !is(TaskClass::queued)) {
    return quiet("a cancel request stands, and " + status_text());
  }
  if (std::string reason = silence(); !reason.empty()) {
    return quiet(std::move(reason));
  }
  const auto& source = m_context.profile.cancel_request;
  const std::string column = source ? source->requested : "requested";
  const TimeFact& requested = m_facts.cancel_request.requested;
  if (!requested.known()) {
    return quiet("a cancel request stands, but since when is unknown: " + column +
                 (requested.absent() ? " is not set" : " cannot be read ('" + printable(requested.raw) + "')"));
  }
  const std::string since = "cancel was requested " + distance(requested.at, m_now);
  if (m_now - requested.at <= m_policy.cancel_grace) {
    return quiet(since + ", not longer than " + format_duration(m_policy.cancel_grace) + " ago");
  }
  return fire({{source && !source->table.empty() ? source->table : column, since + " and not honoured"}});
}

Opinion TaskJudge::missing_finished_time() const {
  if (m_context.profile.enabled_rules.count(Rule::missing_finished_time) == 0) {
    return quiet("the profile does not enable this rule");
  }
  if (!m_task.task_class || !is_terminal(*m_task.task_class)) {
    return quiet("not over: " + status_text());
  }
  if (!m_finished.absent() || !m_context.profile.times.finished.given()) {
    return quiet(m_context.profile.times.finished.given() ? m_finished_name + " is set"
                                                          : "the profile names no finished time");
  }
  if (!m_fresh.empty()) {
    return quiet(m_fresh);
  }
  return fire({{m_finished_name, m_finished_name + " is not set although " + status_text()}});
}

/// What a suspect source says counts from the age on at which nothing need be known. Empty: it counts.
std::string TaskJudge::doubt(Rule rule) const {
  const bool presumed = rule == Rule::dead && m_liveness.presumed;
  if (!is_suspect(rule) || presumed || m_now - *m_since.at >= m_policy.max_age) {
    return {};
  }
  return "the source that says so is suspect, and the task is younger than " + format_duration(m_policy.max_age);
}

Opinion TaskJudge::dead() const {
  if (!is_active()) {
    return quiet(not_active());
  }
  if (m_liveness.liveness != Liveness::dead) {
    const bool alive = m_liveness.liveness == Liveness::alive;
    return quiet(alive ? "alive: " + liveness_text(Liveness::alive) : "nothing says that its worker is dead");
  }
  for (std::string reason : {silence(), settled_age_problem()}) {
    if (!reason.empty()) {
      return quiet(std::move(reason));
    }
  }
  if (std::string reason = doubt(Rule::dead); !reason.empty()) {
    return quiet(std::move(reason));
  }
  std::vector<Evidence> evidence;
  for (std::size_t i = 0; i < m_liveness.sources.size(); ++i) {
    if (m_liveness.says[i] == Liveness::dead) {
      evidence.push_back(m_liveness.sources[i]);
    }
  }
  evidence.push_back(since_evidence());
  return fire(std::move(evidence));
}

Opinion TaskJudge::never_assigned() const {
  if (!m_context.profile.always_assigned) {
    return quiet("in this system a task may run without a worker");
  }
  if (!is_active()) {
    return quiet(not_active());
  }
  if (m_task.worker && !m_task.worker->empty()) {
    return quiet("it was given to worker " + printable(*m_task.worker));
  }
  if (m_liveness.liveness == Liveness::alive) {
    return quiet("alive: " + liveness_text(Liveness::alive));
  }
  for (std::string reason : {silence(), settled_age_problem()}) {
    if (!reason.empty()) {
      return quiet(std::move(reason));
    }
  }
  if (std::string reason = doubt(Rule::never_assigned); !reason.empty()) {
    return quiet(std::move(reason));
  }
  return fire(
      {{source_name(m_context.profile.worker, "worker"), "no worker was ever given this task"}, since_evidence()});
}

Opinion TaskJudge::overdue() const {
  if (!is_active()) {
    return quiet(not_active());
  }
  if (m_liveness.liveness != Liveness::unknown) {
    const bool alive = m_liveness.liveness == Liveness::alive;
    return quiet(alive ? "alive, so its age does not matter" : "its worker is known to be dead");
  }
  if (std::string reason = silence(); !reason.empty()) {
    return quiet(std::move(reason));
  }
  if (!m_since.at) {
    return quiet(m_since.problem);
  }
  if (m_now - *m_since.at < m_policy.max_age) {
    return quiet(m_since.source + " " + distance(*m_since.at, m_now) + ", less than " +
                 format_duration(m_policy.max_age) + " ago");
  }
  return fire({since_evidence(), {"liveness", "nothing tells whether its worker is alive"}});
}

Opinion TaskJudge::waiting() const {
  if (!m_policy.queued_max_age) {
    return quiet("no threshold is set for queued tasks");
  }
  if (!is(TaskClass::queued)) {
    return quiet("not queued: " + status_text());
  }
  if (std::string reason = silence(); !reason.empty()) {
    return quiet(std::move(reason));
  }
  const Since since = waiting_since(m_task, m_context.profile);
  if (!since.at) {
    return quiet(since.problem);
  }
  const std::string age = since.source + " " + distance(*since.at, m_now);
  if (m_now - *since.at < *m_policy.queued_max_age) {
    return quiet(age + ", less than " + format_duration(*m_policy.queued_max_age) + " ago");
  }
  return fire({{since.source, "queued since " + age}});
}

Opinion TaskJudge::clock() const {
  if (!is_active()) {
    return quiet(not_active());
  }
  if (!m_since.at || m_since.heartbeat || *m_since.at <= m_now + m_policy.settle) {
    return quiet(m_since.at ? "it did not start in the future" : m_since.problem);
  }
  return fire({{m_since.source, m_since.source + " lies in the future, " + distance(*m_since.at, m_now)}});
}

Opinion TaskJudge::unreadable() const {
  if (!m_unreadable.empty()) {
    return fire({{m_finished_name, m_unreadable}});
  }
  if (!is_active()) {
    return quiet(not_active());
  }
  if (m_since.at) {
    return quiet("every time that matters can be read");
  }
  if (m_liveness.liveness == Liveness::alive) {
    return quiet("alive, so its age does not matter");
  }
  return fire({{m_since.source, m_since.problem}});
}

Opinion TaskJudge::settling() const {
  const bool missing = m_task.task_class && is_terminal(*m_task.task_class) && m_finished.absent() &&
                       m_context.profile.times.finished.given() &&
                       m_context.profile.enabled_rules.count(Rule::missing_finished_time) > 0;
  if ((!m_marked && !m_ended && !missing) || !m_unreadable.empty()) {
    return quiet("nothing in the row contradicts anything else");
  }
  if (m_out_of_order.empty() && m_fresh.empty()) {
    return quiet("the row has settled");
  }
  return fire({{missing ? "row" : m_finished_name, m_out_of_order.empty() ? m_fresh : m_out_of_order}});
}

std::string TaskJudge::fine_because() const {
  if (m_liveness.liveness == Liveness::alive) {
    return "alive: " + liveness_text(Liveness::alive);
  }
  if (!m_since.at) {
    return m_since.problem;
  }
  return m_since.source + " " + distance(*m_since.at, m_now);
}

bool TaskJudge::is_suspect(Rule rule) const {
  return (rule == Rule::dead && m_liveness.suspect) || (rule == Rule::never_assigned && m_context.assignments_suspect);
}

Finding TaskJudge::finding(Rule rule, Opinion opinion, std::vector<Rule> also) const {
  Finding finding;
  finding.task = m_task;
  finding.rule = rule;
  finding.certainty = certainty_of(rule, is_suspect(rule));
  finding.evidence = std::move(opinion.evidence);
  finding.also = std::move(also);
  finding.hazards = hazards_of(m_facts, m_context);
  finding.liveness = m_liveness.liveness;
  finding.since = rule == Rule::waiting ? waiting_since(m_task, m_context.profile).at : m_since.at;
  if (is_suspect(rule) && !(rule == Rule::dead && m_liveness.presumed)) {
    finding.note = suspicion_of(rule, m_context);
  }
  if (m_facts.cancel_request.present) {
    finding.request_reason = m_facts.cancel_request.reason;
  }
  decide_remedy(finding, m_facts, m_context);
  return finding;
}

Judgement TaskJudge::run() const {
  static constexpr std::array<NamedCheck, k_task_rules.size()> k_checks{{
      {Rule::contradiction, &TaskJudge::contradiction},
      {Rule::result_over, &TaskJudge::result_over},
      {Rule::cancel_requested, &TaskJudge::cancel_requested},
      {Rule::missing_finished_time, &TaskJudge::missing_finished_time},
      {Rule::cancel_overwritten, &TaskJudge::cancel_overwritten},
      {Rule::duplicate_result, &TaskJudge::duplicate_result},
      {Rule::dead, &TaskJudge::dead},
      {Rule::never_assigned, &TaskJudge::never_assigned},
      {Rule::overdue, &TaskJudge::overdue},
      {Rule::waiting, &TaskJudge::waiting},
      {Rule::clock, &TaskJudge::clock},
      {Rule::unreadable, &TaskJudge::unreadable},
      {Rule::attempts_over_limit, &TaskJudge::attempts_over_limit},
      {Rule::started_after_finished, &TaskJudge::started_after_finished},
      {Rule::bulk_finished, &TaskJudge::bulk_finished},
      {Rule::settling, &TaskJudge::settling},
  }};
  Judgement judgement;
  judgement.verdicts.reserve(k_checks.size());
  std::optional<Rule> winner;
  Opinion winning;
  std::vector<Rule> also;
  for (const auto& [rule, check] : k_checks) {
    Opinion opinion = (this->*check)();
    judgement.verdicts.push_back({rule, opinion.fired, std::move(opinion.why)});
    if (!opinion.fired) {
      continue;
    }
    if (!winner) {
      winner = rule;
      winning = std::move(opinion);
    } else if (certainty_of(rule, false) != Certainty::none) {
      also.push_back(rule);
    }
  }
  if (winner) {
    judgement.finding = finding(*winner, std::move(winning), std::move(also));
  } else if (is_active()) {
    judgement.fine_because = fine_because();
  }
  judgement.liveness = m_liveness;
  judgement.since = m_since.at;
  return judgement;
}

}  // namespace

Judgement judge(const TaskFacts& facts, const JudgeContext& context) {
  return TaskJudge{facts, context}.run();
}

}  // namespace taskctl
