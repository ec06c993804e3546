#include "engine/lister.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>

#include "base/error.hpp"
#include "engine/evidence_gatherer.hpp"
#include "engine/facts_codec.hpp"
#include "engine/row_rules.hpp"
#include "sql/statements.hpp"
#include "store/catalog.hpp"

namespace taskctl {

namespace {

/// How far behind may a standby be before what it says of workers is not believed? nullopt: no source depends on it.
std::optional<Duration> tolerable_lag(const Profile& profile, const Policy& policy) {
  if (profile.liveness.empty()) {
    return std::nullopt;
  }
  std::optional<Duration> smallest;
  for (const auto& source : profile.liveness) {
    if (source.timeout > Duration::zero() && (!smallest || source.timeout < *smallest)) {
      smallest = source.timeout;
    }
  }
  return smallest.value_or(policy.settle);
}

/// nullopt: the standby does not know.
std::optional<Duration> standby_lag(Connection& connection) {
  const auto rows = connection.query(Dialect{connection.engine()}.statements().standby_lag);
  const Value& value = rows.at(0).at(0);
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    return Duration{*number};
  }
  std::int64_t number = 0;
  const auto* text = std::get_if<std::string>(&value);
  if (text == nullptr || std::from_chars(text->data(), text->data() + text->size(), number).ec != std::errc{}) {
    return std::nullopt;
  }
  return Duration{number};
}

bool standby_lags(Connection& connection, const Profile& profile, const Policy& policy) {
  const auto limit = tolerable_lag(profile, policy);
  if (!limit || !connection.server().standby) {
    return false;
  }
  const auto lag = standby_lag(connection);
  return !lag || *lag > *limit;
}

/// A table of assignments that was emptied would make an orphan of every task.
bool assignments_suspect(TaskStore& store) {
  const Attribute& worker = store.profile().worker;
  if (!store.profile().always_assigned || worker.kind != Attribute::Kind::lookup) {
    return false;
  }
  const TableInfo* table = store.schema().find(worker.table);
  return (table != nullptr && table->row_security) || !store.has_rows(worker.table);
}

/// Judges a stream of facts into items and counts.
class Collector {
 public:
  Collector(const ListRequest& request, const JudgeContext& context, const ItemVisitor& visit)
      : m_request{request}, m_context{context}, m_visit{visit} {}

  [[nodiscard]] const ListSummary& summary() const { return m_summary; }

  /// While the database is reading tasks it cannot be asked for their evidence: those that want it wait.
  void add(TaskFacts&& facts) {
    Judgement judgement = judge(facts, m_context);
    if (wants_evidence(facts, judgement, m_context)) {
      m_waiting.append(encode_facts(facts));
    } else {
      add_judged(std::move(facts), std::move(judgement));
    }
  }

  [[nodiscard]] std::int64_t suspect() const { return m_suspect; }
  [[nodiscard]] std::int64_t unassigned() const { return m_unassigned; }
  [[nodiscard]] std::int64_t unseen() const { return m_unseen; }

  void add_row(Finding&& finding) { add_finding(std::move(finding), nullptr); }

  void finish(TaskStore& store) {
    std::vector<TaskFacts> chunk;
    m_waiting.for_each([&](std::string_view bytes) {
      chunk.push_back(decode_facts(bytes));
      if (chunk.size() == k_evidence_chunk) {
        add_with_evidence(store, chunk);
      }
    });
    add_with_evidence(store, chunk);
  }

 private:
  void add_with_evidence(TaskStore& store, std::vector<TaskFacts>& chunk) {
    std::vector<TaskFacts*> tasks;
    for (TaskFacts& facts : chunk) {
      tasks.push_back(&facts);
    }
    gather_evidence(store, m_context, tasks);
    for (TaskFacts& facts : chunk) {
      Judgement judgement = judge(facts, m_context);
      add_judged(std::move(facts), std::move(judgement));
    }
    chunk.clear();
  }

  void add_judged(TaskFacts&& facts, Judgement&& judgement) {
    if (facts.task.task_class == TaskClass::active) {
      m_suspect += judgement.liveness.suspect ? 1 : 0;
      m_unassigned += facts.task.worker.value_or("").empty() ? 1 : 0;
      m_unseen += !judgement.since && facts.task.times.first_seen.absent() ? 1 : 0;
    }
    if (judgement.finding) {
      add_finding(std::move(*judgement.finding), &judgement.liveness);
    } else if (facts.task.task_class == TaskClass::active) {
      add_fine(std::move(facts.task), judgement);
    }
  }

  void count_fine(const Task& task) {
    if (task.task_class == TaskClass::active) {
      ++m_summary.fine;
      ++m_summary.fine_by_class[TaskClass::active];
    }
  }

  void add_finding(Finding&& finding, const LivenessVerdict* liveness) {
    ListSummary& summary = m_summary;
    const bool settling = finding.rule == Rule::settling;
    if (settling) {
      count_fine(finding.task);
    }
    if (!m_request.selector.matches(finding)) {
      return;
    }
    summary.settling += settling ? 1 : 0;
    if (settling && !m_request.include_fine) {
      return;
    }
    ++summary.by_rule[finding.rule];
    ++summary.by_certainty[finding.certainty];
    summary.clock += finding.rule == Rule::clock ? 1 : 0;
    summary.unreadable += finding.rule == Rule::unreadable ? 1 : 0;
    if (finding.certainty != Certainty::none) {
      count_stuck(finding);
    }
    m_visit({std::move(finding), false}, liveness);
  }

  void count_stuck(const Finding& finding) {
    ListSummary& summary = m_summary;
    ++summary.stuck;
    if (finding.task.task_class) {
      ++summary.stuck_by_class[*finding.task.task_class];
    }
    summary.repairable += finding.repair == Repair::yes ? 1 : 0;
    summary.left_for_max_age += finding.repair == Repair::needs_max_age ? 1 : 0;
    summary.undecided += finding.outcome == Outcome::undecided ? 1 : 0;
  }

  void add_fine(Task&& task, const Judgement& judgement) {
    count_fine(task);
    const Selector& selector = m_request.selector;
    if (!m_request.include_fine || !selector.rules.empty() || !selector.certainties.empty()) {
      return;
    }
    ListItem item;
    item.fine = true;
    item.finding.since = judgement.since;
    item.finding.liveness = judgement.liveness.liveness;
    item.finding.note = judgement.fine_because;
    item.finding.outcome = Outcome::unchanged;
    item.finding.task = std::move(task);
    m_visit(std::move(item), &judgement.liveness);
  }

  const ListRequest& m_request;
  const JudgeContext& m_context;
  const ItemVisitor& m_visit;
  ListSummary m_summary;
  std::int64_t m_suspect = 0;     ///< active tasks that only a suspect source calls dead
  std::int64_t m_unassigned = 0;  ///< active tasks without a worker
  std::int64_t m_unseen = 0;      ///< active tasks of no known age that nobody has seen as they are
  Spool m_waiting;                ///< encoded facts
};

std::vector<std::string> warnings_of(const JudgeContext& context, const Schema& schema) {
  std::vector<std::string> warnings;
  for (std::size_t i = 0; i < context.workers.size(); ++i) {
    if (context.workers[i].suspect() && !context.workers[i].rows_hidden) {
      warnings.push_back("none of the " + std::to_string(context.workers[i].known) + " workers in '" +
                         context.profile.liveness[i].table +
                         "' is alive: the table itself is suspect, and findings that rest on it are only possible");
    }
  }
  if (context.standby_lags) {
    warnings.emplace_back(
        "this standby lags further behind than a liveness timeout: findings that rest on liveness are only possible");
  }
  std::ranges::move(hidden_rows_warnings(schema), std::back_inserter(warnings));
  return warnings;
}

std::string empty_table_warning(const std::string& table, std::int64_t tasks) {
  return "'" + table + "' has no rows although tasks are active (" + std::to_string(tasks) +
         "): the table itself is suspect, and findings that rest on it are only possible";
}

/// An empty table of workers or assignments is no news where nothing runs. Hidden rows are told of anyway.
void warn_of_empty_tables(std::vector<std::string>& warnings, TaskStore& store, const JudgeContext& context,
                          const Collector& found) {
  for (std::size_t i = 0; i < context.workers.size() && found.suspect() > 0; ++i) {
    const LivenessSource& source = context.profile.liveness.at(i);
    const WorkerCensus& census = context.workers[i];
    if (source.kind == LivenessSource::Kind::table && census.known == 0 && !census.rows_hidden) {
      warnings.push_back(empty_table_warning(source.table, found.suspect()));
    }
  }
  const std::string& assignments = context.profile.worker.table;
  if (context.assignments_suspect && found.unassigned() > 0 && !store.schema().tables.at(assignments).row_security) {
    warnings.push_back(empty_table_warning(assignments, found.unassigned()));
  }
}

/// Ages that nobody has watched, or that cannot be read.
void warn_of_sightings(std::vector<std::string>& warnings, const TaskStore& store, std::int64_t unseen) {
  if (std::string problem = store.sightings_problem(); !problem.empty()) {
    warnings.push_back(std::move(problem));
  } else if (store.profile().times.counts_first_seen() && unseen > 0) {
    warnings.push_back("the age of " + std::to_string(unseen) + (unseen == 1 ? " active task" : " active tasks") +
                       " is not known: `taskctl observe` notes them as they are, and it counts from there");
  }
}

/// Rules that find tasks by their results alone.
bool has_result_rules(const Profile& profile) {
  return profile.enabled_rules.count(Rule::cancel_overwritten) > 0 ||
         profile.enabled_rules.count(Rule::duplicate_result) > 0;
}

Listing read_listing(TaskStore& store, const ListRequest& request) {
  Listing listing;
  const JudgeContext context = read_judge_context(store, request.policy, request.now);
  listing.now = context.now;
  ScanResult scan = scan_tasks(store, context, request, [&listing](ListItem&& item, const LivenessVerdict*) {
    listing.items.append(encode_item(item));
  });
  listing.summary = std::move(scan.summary);
  listing.warnings = std::move(scan.warnings);
  return listing;
}

std::optional<TaskReport> read_report(TaskStore& store, const TaskKey& key, const Policy& policy,
                                      std::optional<Instant> now) {
  Transaction transaction{store.connection(), Access::read};
  const JudgeContext context = read_judge_context(store, policy, now);
  FactsRequest wanted;
  wanted.rows = FactsRequest::Rows::by_key;
  wanted.keys = {key};
  wanted.with_image = true;
  std::optional<TaskReport> report;
  store.read_facts(wanted, [&](TaskFacts&& facts) { report = TaskReport{std::move(facts), {}, context.now}; });
  if (report) {
    TaskFacts* const facts = &report->facts;
    gather_evidence(store, context, {&facts, 1});
    if (store.profile().enabled_rules.contains(Rule::bulk_finished)) {
      const std::vector<FinishedTogether> group = store.read_finished_together(key);
      facts->finished_together = group.empty() ? 0 : group.front().count;
    }
    report->judgement = judge(report->facts, context);
  }
  transaction.commit();
  return report;
}

}  // namespace

JudgeContext read_judge_context(TaskStore& store, const Policy& policy, std::optional<Instant> now) {
  Connection& connection = store.connection();
  const Profile& profile = store.profile();
  const Instant at = now ? *now : connection.now();
  std::vector<WorkerCensus> workers = store.read_workers(at);
  for (std::size_t i = 0; i < workers.size() && i < profile.liveness.size(); ++i) {
    const TableInfo* table = store.schema().find(profile.liveness[i].table);
    workers[i].rows_hidden = table != nullptr && table->row_security;
  }
  return {
      profile, policy, at, std::move(workers), standby_lags(connection, profile, policy), assignments_suspect(store)};
}

ScanResult scan_tasks(TaskStore& store, const JudgeContext& context, const ListRequest& request,
                      const ItemVisitor& visit) {
  ScanResult result;
  result.warnings = warnings_of(context, store.schema());
  FactsRequest wanted;
  wanted.rows = FactsRequest::Rows::candidates;
  wanted.selector = request.selector;
  wanted.selector.ids = task_ids(store.profile(), request.selector.ids);
  wanted.all_queued = request.policy.queued_max_age.has_value();
  wanted.by_results = request.policy.evidence && has_result_rules(store.profile());
  Collector collector{request, context, visit};
  const bool only_rows = wanted.selector.ids.empty() && !request.selector.ids.empty();
  if (!only_rows) {
    store.read_facts(wanted, [&](TaskFacts&& facts) { collector.add(std::move(facts)); });
    collector.finish(store);
    warn_of_empty_tables(result.warnings, store, context, collector);
  }
  if (!request.only_tasks) {
    const auto add_row = [&](Finding&& finding) { collector.add_row(std::move(finding)); };
    list_rule_rows(store, request.selector, request.policy, context.now, add_row);
    list_bulk_finished(store, request.selector, add_row);
  }
  warn_of_sightings(result.warnings, store, collector.unseen());
  result.summary = collector.summary();
  return result;
}

void Listing::for_each(const std::function<void(const ListItem&)>& visit) const {
  items.for_each([&](std::string_view bytes) { visit(decode_item(bytes)); });
}

Listing list_stuck(TaskStore& store, const ListRequest& request) {
  if (store.connection().in_transaction()) {
    return read_listing(store, request);
  }
  return once_more_when_busy([&] {
    Transaction transaction{store.connection(), Access::read};
    Listing listing = read_listing(store, request);
    transaction.commit();
    return listing;
  });
}

std::optional<TaskReport> inspect_task(TaskStore& store, const TaskKey& key, const Policy& policy,
                                       std::optional<Instant> now) {
  return once_more_when_busy([&] { return read_report(store, key, policy, now); });
}

}  // namespace taskctl
