#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/spool.hpp"
#include "engine/evidence.hpp"
#include "engine/evidence_gatherer.hpp"
#include "engine/facts_codec.hpp"
#include "engine/lister.hpp"
#include "engine/planner.hpp"
#include "engine/planner_parts.hpp"
#include "engine/remedy.hpp"
#include "engine/row_planner.hpp"
#include "engine/row_rules.hpp"
#include "engine/task_age.hpp"

namespace taskctl {

namespace {

struct Read {
  TaskFacts facts;
  Judgement judgement;
};

class CancelPlanner {
 public:
  CancelPlanner(TaskStore& store, Plan& plan, const JudgeContext& context)
      : m_store{store},
        m_profile{store.profile()},
        m_plan{plan},
        m_context{context},
        m_with_evidence{seeing(plan.policy)},
        m_seeing{context.profile, m_with_evidence,      context.now,
                 context.workers, context.standby_lags, context.assignments_suspect},
        m_derived{store, plan} {}

  void add_named(std::span<const TaskKey> keys) {
    const std::size_t chunk = chunk_of(keys.size());
    for (std::size_t begin = 0; begin < keys.size(); begin += chunk) {
      add_chunk(keys.subspan(begin, std::min(chunk, keys.size() - begin)));
    }
  }

  /// Facts come while their statement runs, and others are needed to plan: they are spooled between the two.
  void add_selected(const Selector& selector) {
    FactsRequest wanted;
    wanted.rows = FactsRequest::Rows::open;
    wanted.selector = selector;
    Spool spool;
    m_store.read_facts(wanted, [&](TaskFacts&& facts) {
      if (!m_plan.policy.max_age_given || is_old(facts.task, m_plan.policy.max_age)) {
        spool.append(encode_facts(facts));
      }
    });
    const std::size_t chunk = chunk_of(spool.count());
    std::vector<Read> reads;
    const auto plan_reads = [&] {
      std::vector<const Read*> found;
      look_for_evidence(reads);
      for (const Read& read : reads) {
        found.push_back(&read);
      }
      add_tasks(found);
      reads.clear();
    };
    spool.for_each([&](std::string_view bytes) {
      TaskFacts facts = decode_facts(bytes);
      Judgement judgement = judge(facts, m_context);
      reads.push_back({std::move(facts), std::move(judgement)});
      if (reads.size() == chunk) {
        plan_reads();
      }
    });
    plan_reads();
  }

  /// Rows that others changed while an earlier plan of the same command was applied.
  void finish(const std::vector<std::string>& rows) {
    if (!rows.empty()) {
      Selector selector;
      selector.ids = rows;
      list_rule_rows(m_store, selector, m_plan.policy, m_plan.now, [&](Finding&& finding) {
        if (rule_of(m_profile, finding).derived) {
          m_derived.want(finding);
        }
      });
    }
    m_derived.finish();
  }

 private:
  [[nodiscard]] std::size_t chunk_of(std::size_t tasks) const {
    return has_derived_rows(m_profile) ? derived_chunk(tasks) : k_planner_chunk;
  }

  void add_chunk(std::span<const TaskKey> keys) {
    std::vector<Read> reads = read_tasks(keys);
    look_for_evidence(reads);
    std::map<TaskKey, const Read*> by_key;
    for (const Read& read : reads) {
      by_key.insert_or_assign(read.facts.task.key, &read);
    }
    std::vector<const Read*> found;
    for (const TaskKey& key : keys) {
      const auto at = by_key.find(key);
      if (at == by_key.end()) {
        m_plan.leave_out({.task = key.text(), .why = LeftOut::Why::unknown, .detail = "no such task", .finding = {}});
      } else {
        found.push_back(at->second);
      }
    }
    add_tasks(found);
  }

  void add_tasks(const std::vector<const Read*>& reads) {
    std::vector<Candidate> candidates;
    for (const Read* read : reads) {
      add_task(*read, candidates);
    }
    append_units(m_plan, m_store, candidates);
    m_derived.follow();
  }

  static Policy seeing(Policy policy) {
    policy.evidence = true;
    return policy;
  }

  /// How it ended is what the user says; what says otherwise is shown.
  void look_for_evidence(std::vector<Read>& reads) {
    std::vector<TaskFacts*> active;
    for (Read& read : reads) {
      if (m_plan.force && read.facts.task.task_class == TaskClass::active) {
        active.push_back(&read.facts);
      }
    }
    for (std::size_t begin = 0; begin < active.size(); begin += k_evidence_chunk) {
      gather_evidence(m_store, m_seeing,
                      std::span{active}.subspan(begin, std::min(k_evidence_chunk, active.size() - begin)));
    }
  }

  void add_contrary_evidence(const TaskFacts& facts, Finding& finding) const {
    const std::optional<Decision> decision =
        facts.evidence.empty() ? std::nullopt : decide_by_evidence(Rule::result_over, facts, m_seeing);
    const bool says_over =
        decision && (decision->outcome == Outcome::succeeded || decision->outcome == Outcome::failed ||
                     decision->outcome == Outcome::cancelled);
    if (says_over && decision->row && decision->outcome != finding.outcome) {
      finding.evidence.push_back(
          {decision->row->source, fmt::format("{}: it ended as {}, which is written over", decision->row->text,
                                              to_string(decision->outcome))});
    }
  }

  /// A task of unknown age is no old one; it is named instead.
  bool is_old(const Task& task, Duration max_age) {
    const Since since =
        task.task_class == TaskClass::active ? since_of(task, m_profile) : waiting_since(task, m_profile);
    if (!since.at) {
      m_plan.leave_out({.task = task.key.text(),
                        .why = LeftOut::Why::unknown_age,
                        .detail = since.problem.empty() ? "no time says how old it is" : since.problem,
                        .finding = {}});
      return false;
    }
    return m_context.now - *since.at >= max_age;
  }

  std::vector<Read> read_tasks(std::span<const TaskKey> keys) {
    FactsRequest wanted;
    wanted.rows = FactsRequest::Rows::by_key;
    wanted.keys.assign(keys.begin(), keys.end());
    std::vector<Read> reads;
    m_store.read_facts(wanted, [&](TaskFacts&& facts) {
      Judgement judgement = judge(facts, m_context);
      reads.push_back({std::move(facts), std::move(judgement)});
    });
    return reads;
  }

  void add_task(const Read& read, std::vector<Candidate>& candidates) {
    Finding finding = finding_of(read);
    const auto leave = [&](LeftOut::Why why, std::string detail) {
      m_plan.leave_out({.task = finding.task.key.text(), .why = why, .detail = std::move(detail), .finding = finding});
    };
    if (read.facts.has_twin) {
      return leave(LeftOut::Why::unaddressable, twin_text(m_store));
    }
    const std::string status = "its status is '" + finding.task.status.value_or("NULL") + "'";
    if (!finding.task.task_class) {
      return leave(LeftOut::Why::not_repairable, status + ", which the profile does not map");
    }
    if (is_terminal(*finding.task.task_class)) {
      return leave(finding.task.task_class == TaskClass::cancelled ? LeftOut::Why::already_cancelled
                                                                   : LeftOut::Why::already_over,
                   status);
    }
    const bool active = finding.task.task_class == TaskClass::active;
    if (active && !m_plan.force) {
      return leave(LeftOut::Why::needs_force, status + ": --force ends active tasks too");
    }
    if (std::string hazards = open_hazards(finding.hazards, m_profile, m_plan.policy); !hazards.empty()) {
      return leave(LeftOut::Why::hazard, std::move(hazards));
    }
    const std::string kind = active ? "force-cancel" : "cancel";
    finding.outcome = within_attempts(finding, outcome_of(kind), read.facts);
    finding.repair = Repair::yes;
    std::string detail;
    const OperationList* operations = operations_for(m_profile, finding, detail);
    if (operations == nullptr) {
      return leave(LeftOut::Why::not_repairable, detail);
    }
    add_contrary_evidence(read.facts, finding);
    candidates.push_back({.finding = std::move(finding), .reason = reason_of(kind), .operations = operations});
  }

  /// What is wrong with the task if anything is; otherwise just the task, so that the plan can show it.
  Finding finding_of(const Read& read) const {
    if (read.judgement.finding) {
      return *read.judgement.finding;
    }
    Finding finding;
    finding.task = read.facts.task;
    finding.liveness = read.judgement.liveness.liveness;
    finding.since = read.judgement.since;
    finding.hazards = hazards_of(read.facts, m_context);
    finding.outcome = Outcome::unchanged;
    return finding;
  }

  Outcome outcome_of(const std::string& kind) const {
    if (m_plan.policy.outcome) {
      return *m_plan.policy.outcome;
    }
    const auto found = m_profile.defaults.find(kind);
    return found == m_profile.defaults.end() ? Outcome::cancelled : found->second;
  }

  std::string reason_of(const std::string& kind) const {
    if (!m_plan.reason.empty()) {
      return m_plan.reason;
    }
    if (const auto found = m_profile.reasons.find(kind); found != m_profile.reasons.end()) {
      return found->second;
    }
    return kind == "cancel" ? "Cancelled by user" : "Force cancelled by user";
  }

  TaskStore& m_store;
  const Profile& m_profile;
  Plan& m_plan;
  const JudgeContext& m_context;
  const Policy m_with_evidence;
  const JudgeContext m_seeing;
  DerivedPlanner m_derived;
};

std::vector<TaskKey> without_duplicates(const std::vector<TaskKey>& keys) {
  std::set<TaskKey> seen;
  std::vector<TaskKey> unique;
  for (const TaskKey& key : keys) {
    if (seen.insert(key).second) {
      unique.push_back(key);
    }
  }
  return unique;
}

/// Nobody ends every task by leaving something out.
void require_selection(const CancelRequest& request) {
  if (request.selector && request.selector->empty() && !request.policy.max_age_given) {
    throw Error{ExitCode::bug, "a cancel without ids and filters"};
  }
}

Plan read_cancel_plan(TaskStore& store, const CancelRequest& request) {
  require_selection(request);
  Plan plan = start_plan(store, "cancel");
  plan.given_now = request.now;
  plan.policy = request.policy;
  plan.policy.evidence = false;  // how it ended is what the user says
  plan.force = request.force;
  plan.reason = request.reason;
  plan.is_selected = request.selector.has_value();
  const std::vector<TaskKey> keys = without_duplicates(request.keys);
  Transaction transaction{store.connection(), Access::read};
  const JudgeContext context = read_judge_context(store, plan.policy, request.now);
  plan.now = context.now;
  CancelPlanner planner{store, plan, context};
  if (request.selector) {
    plan.selector = *request.selector;
    planner.add_selected(plan.selector);
  } else {
    planner.add_named(keys);
    for (const TaskKey& key : keys) {
      plan.selector.ids.push_back(key.text());
    }
  }
  planner.finish(request.rows);
  end_plan(plan, store);
  transaction.commit();
  return plan;
}

}  // namespace

Plan plan_cancel(TaskStore& store, const CancelRequest& request) {
  return once_more_when_busy([&] { return read_cancel_plan(store, request); });
}

}  // namespace taskctl
