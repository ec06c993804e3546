#include "engine/stats.hpp"

#include <algorithm>

#include "engine/task_age.hpp"

namespace taskctl {

namespace {

void count_findings(Stats& stats, TaskStore& store, const JudgeContext& context, const StatsRequest& request) {
  const ListRequest wanted{.policy = request.policy, .now = request.now, .include_fine = true};
  ScanResult scan = scan_tasks(store, context, wanted, [&](ListItem&& item, const LivenessVerdict* liveness) {
    const Finding& finding = item.finding;
    if (liveness != nullptr && finding.task.task_class == TaskClass::active) {
      stats.active.add(finding.task, finding.since, context.now, request.policy.settle);
    }
    if (item.fine || finding.certainty == Certainty::none) {
      return;
    }
    ++stats.stuck_by_rule[finding.rule];
    if (!finding.table) {
      stats.stuck_by_kind.add(finding.task.kind);
      stats.stuck_by_worker.add(finding.task.worker);
    }
  });
  stats.findings = std::move(scan.summary);
  stats.warnings = std::move(scan.warnings);
}

void count_queued(Stats& stats, TaskStore& store, const StatsRequest& request) {
  FactsRequest wanted;
  wanted.rows = FactsRequest::Rows::queued;
  wanted.brief = true;
  store.read_facts(wanted, [&](TaskFacts&& facts) {
    if (facts.task.task_class == TaskClass::queued) {
      stats.queued.add(facts.task, waiting_since(facts.task, store.profile()).at, stats.now, request.policy.settle);
    }
  });
}

Stats read_stats(TaskStore& store, const StatsRequest& request) {
  Transaction transaction{store.connection(), Access::read};
  const JudgeContext context = read_judge_context(store, request.policy, request.now);
  Stats stats;
  stats.now = context.now;
  stats.statuses = store.status_counts();
  count_findings(stats, store, context, request);
  count_queued(stats, store, request);
  transaction.commit();
  return stats;
}

}  // namespace

void Tally::add(const std::optional<std::string>& name) {
  if (const auto found = counts.find(name); found != counts.end()) {
    ++found->second;
  } else if (counts.size() < k_names) {
    counts.emplace(name, 1);
  } else {
    ++others;
  }
}

void ClassAges::add(const Task& task, const std::optional<Instant>& since, Instant now, Duration settle) {
  ++ages.total;
  if (!since) {
    ++ages.unknown;
    return;
  }
  if (*since > now + settle) {
    ++ages.future;
    return;
  }
  const auto bound = std::ranges::find_if(AgeHistogram::k_bounds,
                                          [age = now - *since](std::chrono::minutes upper) { return age < upper; });
  ++ages.counts.at(static_cast<std::size_t>(bound - AgeHistogram::k_bounds.begin()));
  if (!oldest || *since < oldest->since) {
    oldest = OldestTask{task.key, task.kind, task.worker, *since};
  }
}

Stats collect_stats(TaskStore& store, const StatsRequest& request) {
  return once_more_when_busy([&] { return read_stats(store, request); });
}

}  // namespace taskctl
