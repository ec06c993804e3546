#include <algorithm>

#include "engine/lister.hpp"
#include "engine/planner.hpp"
#include "engine/repair_planner.hpp"
#include "engine/row_rules.hpp"
#include "engine/workers.hpp"

namespace taskctl {

namespace {

/// Plans what one worker holds, from one transaction.
class ReleasePlanner {
 public:
  ReleasePlanner(TaskStore& store, const ReleaseRequest& request, ReleasePlan& release, const JudgeContext& context)
      : m_store{store}, m_request{request}, m_release{release}, m_context{context}, m_planner{store, release.plan} {}

  void run() {
    m_release.known = Dialect{m_store.connection().engine()}.can_hold(m_request.worker);
    if (!m_release.known) {
      return;
    }
    read_tasks();
    const std::vector<Finding> accounts = m_request.ids.empty() ? own_accounts() : named_accounts();
    m_release.known = m_registered || m_release.held > 0 || m_has_account || is_named_by_a_task();
    const bool may = m_release.liveness.liveness == Liveness::dead && (m_request.force || !m_release.liveness.suspect);
    m_held.for_each([&](std::string_view bytes) { add_task(decode_item(bytes), may); });
    if (!may) {
      return;
    }
    for (const Finding& account : accounts) {
      m_planner.add(account);
    }
    m_planner.finish(std::nullopt);
  }

 private:
  void read_tasks() {
    WorkerRows rows = read_worker(m_store, m_request.worker);
    m_registered = rows.found;
    WorkerWitness witness{m_request.worker, std::move(rows.facts), m_context};
    ListRequest wanted{.policy = m_release.plan.policy, .now = m_request.now, .include_fine = true, .only_tasks = true};
    wanted.selector.workers = {m_request.worker};
    wanted.selector.ids = m_request.ids;
    ScanResult scan = scan_tasks(m_store, m_context, wanted, [&](ListItem&& item, const LivenessVerdict* liveness) {
      if (liveness != nullptr && item.finding.task.task_class == TaskClass::active) {
        ++m_release.held;
        witness.hear(item.finding.task.key, *liveness);
        m_held.append(encode_item(item));
      }
    });
    m_release.plan.warnings = std::move(scan.warnings);
    m_release.liveness = witness.verdict();
  }

  /// The worker's derived rows that are wrong already, before anything is released.
  std::vector<Finding> own_accounts() {
    std::vector<Finding> wrong;
    for (const RowRule& rule : m_store.profile().row_rules) {
      const auto tie = std::ranges::find_if(rule.ties, [](const RowRule::Tie& t) { return t.task.empty(); });
      if (!rule.derived || tie == rule.ties.end()) {
        continue;
      }
      RowRuleRequest request{.rule = rule, .now = m_context.now};
      request.tied_column = tie->column;
      request.tied_texts = {m_request.worker};
      m_store.read_rule_rows(request, [&](RuleRow&& row) {
        m_has_account = true;
        if (!row.change->written.empty()) {
          wrong.push_back(row_finding(rule, row, m_store.profile()));
        }
      });
    }
    return wrong;
  }

  /// Derived rows that an earlier plan of the same command wanted to change.
  std::vector<Finding> named_accounts() {
    std::vector<Finding> wrong;
    Selector selector;
    selector.ids = m_request.ids;
    list_rule_rows(m_store, selector, m_context.policy, m_context.now, [&](Finding&& finding) {
      if (rule_of(m_store.profile(), finding).derived) {
        wrong.push_back(std::move(finding));
      }
    });
    return wrong;
  }

  /// A worker whose tasks have all ended, and whose row is gone, was known once.
  bool is_named_by_a_task() {
    FactsRequest wanted;
    wanted.rows = FactsRequest::Rows::selected;
    wanted.selector.workers = {m_request.worker};
    wanted.brief = true;
    wanted.limit = 1;
    bool named = false;
    m_store.read_facts(wanted, [&named](TaskFacts&&) { named = true; });
    return named;
  }

  void add_task(const ListItem& item, bool may) {
    const Finding& finding = item.finding;
    const auto leave = [&](LeftOut::Why why, std::string detail) {
      m_release.plan.leave_out(
          {.task = finding.task.key.text(), .why = why, .detail = std::move(detail), .finding = finding});
    };
    if (m_release.liveness.liveness == Liveness::alive) {
      return leave(LeftOut::Why::worker_alive,
                   "its worker is alive: " + liveness_words(m_release.liveness, Liveness::alive));
    }
    if (!may) {
      return leave(LeftOut::Why::needs_force, "nothing that can be trusted says that its worker is dead");
    }
    if (!item.fine && finding.repair == Repair::needs_max_age) {
      return leave(LeftOut::Why::needs_force, "nothing that can be trusted says of this task that its worker is dead");
    }
    if (!item.fine) {
      return m_planner.add(finding);
    }
    if (finding.liveness == Liveness::dead) {
      return leave(LeftOut::Why::too_fresh, finding.note);
    }
    leave(LeftOut::Why::needs_force, "nothing says of this task that its worker is dead; " + finding.note);
  }

  TaskStore& m_store;
  const ReleaseRequest& m_request;
  ReleasePlan& m_release;
  const JudgeContext& m_context;
  RepairPlanner m_planner;
  Spool m_held;  ///< encoded items
  bool m_registered = false;
  bool m_has_account = false;
};

ReleasePlan read_release_plan(TaskStore& store, const ReleaseRequest& request) {
  require_workers(store.profile());
  ReleasePlan release;
  Plan& plan = release.plan;
  plan = start_plan(store, "release-worker");
  plan.given_now = request.now;
  plan.policy = request.policy;
  plan.reason = request.reason;
  plan.force = request.force;
  plan.selector.workers = {request.worker};
  plan.selector.ids = request.ids;
  if (request.force) {
    plan.policy.presumed_dead = request.worker;
    plan.policy.max_age_given = true;  // what rests on the person's word is only possible, and asked for
  }
  Transaction transaction{store.connection(), Access::read};  // one snapshot for findings and rows
  const JudgeContext context = read_judge_context(store, plan.policy, request.now);
  plan.now = context.now;
  ReleasePlanner{store, request, release, context}.run();
  end_plan(plan, store);
  transaction.commit();
  return release;
}

}  // namespace

ReleasePlan plan_release(TaskStore& store, const ReleaseRequest& request) {
  return once_more_when_busy([&] { return read_release_plan(store, request); });
}

}  // namespace taskctl
