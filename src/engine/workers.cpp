#include "engine/workers.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/text.hpp"
#include "engine/lister.hpp"
#include "model/string_array.hpp"

namespace taskctl {

namespace {

constexpr std::size_t k_ids_per_piece = 64;

bool belongs_to_worker(const RowRule::Tie& tie) {
  return tie.task.empty();
}

/// Collects everything about workers from one transaction.
class Surveyor {
 public:
  Surveyor(TaskStore& store, const WorkerRequest& request)
      : m_store{store}, m_request{request}, m_context{read_judge_context(store, request.policy, request.now)} {
    m_survey.now = m_context.now;
  }

  WorkerSurvey take() {
    read_rows();
    read_accounts();
    read_tasks();
    for (auto& [name, worker] : m_survey.workers) {
      worker.liveness = m_witnesses.at(name).verdict();
    }
    return std::move(m_survey);
  }

 private:
  [[nodiscard]] bool wanted(const std::string& name) const {
    return !name.empty() &&
           (m_request.names.empty() || std::ranges::find(m_request.names, name) != m_request.names.end());
  }

  WorkerInfo& worker(const std::string& name) {
    WorkerInfo& info = m_survey.workers[name];
    info.name = name;
    return info;
  }

  static void see_heartbeat(WorkerInfo& info, const TimeFact& beat) {
    if (beat.known() && (!info.heartbeat || *info.heartbeat < beat.at)) {
      info.heartbeat = beat.at;
    }
  }

  void read_rows() {
    m_store.read_worker_rows(std::nullopt, [this](std::size_t source, const std::string& name, const TimeFact& beat) {
      if (!wanted(name)) {
        return;
      }
      WorkerInfo& info = worker(name);
      info.registered = true;
      see_heartbeat(info, beat);
      std::vector<LivenessFact>& facts = m_rows[name];
      facts.resize(m_store.profile().liveness.size());
      facts[source] = {.row_found = true, .heartbeat = beat, .verdict = {}};
    });
  }

  void read_accounts() {
    for (const RowRule& rule : m_store.profile().row_rules) {
      const auto tie = std::ranges::find_if(rule.ties, belongs_to_worker);
      if (rule.derived && tie != rule.ties.end()) {
        read_accounts(rule, tie->column);
      }
    }
    for (const auto& [name, info] : m_survey.workers) {
      witness(name);
    }
  }

  void read_accounts(const RowRule& rule, const std::string& name_column) {
    RowRuleRequest request{.rule = rule, .now = m_context.now};
    m_store.read_rule_rows(request, [&](RuleRow&& row) {
      const Value* value = row.image.find(name_column);
      const std::string name = value == nullptr || is_null(*value) ? "" : to_display(*value);
      if (!wanted(name) || !row.change || !row.change->after) {
        return;
      }
      WorkerInfo& info = worker(name);
      const Change& change = *row.change;
      for (const auto& [column, expression] : rule.op->set) {
        const bool wrong = std::ranges::find(change.written, column) != change.written.end();
        info.accounts.push_back({rule.table, column, *row.image.find(column), *change.after->find(column), !wrong});
      }
    });
  }

  WorkerWitness& witness(const std::string& name) {
    const auto found = m_witnesses.find(name);
    if (found != m_witnesses.end()) {
      return found->second;
    }
    return m_witnesses.emplace(name, WorkerWitness{name, m_rows[name], m_context}).first->second;
  }

  void read_tasks() {
    ListRequest request{.policy = m_request.policy, .now = m_request.now, .include_fine = true, .only_tasks = true};
    request.selector.workers = m_request.names;
    ScanResult scan = scan_tasks(m_store, m_context, request, [this](ListItem&& item, const LivenessVerdict* liveness) {
      if (liveness != nullptr && item.finding.task.task_class == TaskClass::active) {
        add_task(item, *liveness);
      }
    });
    m_survey.warnings = std::move(scan.warnings);
    for (auto& [name, info] : m_survey.workers) {
      close_piece(info);
    }
  }

  void add_task(const ListItem& item, const LivenessVerdict& liveness) {
    const Task& task = item.finding.task;
    const std::string name = task.worker.value_or("");
    if (name.empty()) {
      ++m_survey.unassigned;
      return;
    }
    WorkerInfo& info = worker(name);
    witness(name).hear(task.key, liveness);
    see_heartbeat(info, task.times.heartbeat);
    ++info.held;
    info.stuck += !item.fine && item.finding.certainty != Certainty::none ? 1 : 0;
    if (const auto since = item.finding.since; since && (!info.oldest || *since < *info.oldest)) {
      info.oldest = since;
    }
    if (info.first_ids.size() < WorkerInfo::k_first_ids) {
      info.first_ids.push_back(task.key.text());
      return;
    }
    info.open_ids.push_back(task.key.text());
    if (info.open_ids.size() == k_ids_per_piece) {
      close_piece(info);
    }
  }

  void close_piece(WorkerInfo& info) {
    if (!info.open_ids.empty()) {
      info.more_ids.push_back(m_survey.ids.append(format_string_array(info.open_ids)));
      info.open_ids.clear();
    }
  }

  TaskStore& m_store;
  const WorkerRequest& m_request;
  JudgeContext m_context;
  WorkerSurvey m_survey;
  std::map<std::string, std::vector<LivenessFact>> m_rows;
  std::map<std::string, WorkerWitness> m_witnesses;
};

}  // namespace

void WorkerSurvey::for_each_id(const WorkerInfo& worker, const std::function<void(const std::string&)>& visit) const {
  std::ranges::for_each(worker.first_ids, visit);
  for (const std::uint64_t position : worker.more_ids) {
    const auto piece = parse_string_array(ids.read(position));
    if (!piece) {
      throw Error{ExitCode::bug, "a spooled list of ids cannot be read again"};
    }
    std::ranges::for_each(*piece, visit);
  }
}

void require_workers(const Profile& profile) {
  if (!profile.worker.given()) {
    throw Error{ExitCode::usage, "profile '" + profile.name + "' does not say which worker has a task",
                "Name the column in the profile ([task] worker = …); list-stuck shows the tasks."};
  }
}

WorkerSurvey survey_workers(TaskStore& store, const WorkerRequest& request) {
  require_workers(store.profile());
  if (store.connection().in_transaction()) {
    return Surveyor{store, request}.take();
  }
  return once_more_when_busy([&] {
    Transaction transaction{store.connection(), Access::read};
    WorkerSurvey survey = Surveyor{store, request}.take();
    transaction.commit();
    return survey;
  });
}

WorkerRows read_worker(TaskStore& store, const std::string& name) {
  WorkerRows rows;
  rows.facts.resize(store.profile().liveness.size());
  store.read_worker_rows(name, [&rows](std::size_t source, const std::string&, const TimeFact& beat) {
    rows.facts[source] = {.row_found = true, .heartbeat = beat, .verdict = {}};
    rows.found = true;
  });
  return rows;
}

WorkerWitness::WorkerWitness(const std::string& name, std::vector<LivenessFact> rows, const JudgeContext& context) {
  TaskFacts facts;
  facts.task.worker = name;
  facts.liveness = std::move(rows);
  m_said = judge_liveness(facts, context);
}

void WorkerWitness::hear(const TaskKey& task, const LivenessVerdict& verdict) {
  for (std::size_t i = 0; i < std::min(m_said.says.size(), verdict.says.size()); ++i) {
    const bool more =
        verdict.says[i] != Liveness::unknown && m_said.says[i] != Liveness::alive && verdict.says[i] != m_said.says[i];
    if (more) {
      m_said.says[i] = verdict.says[i];
      m_said.doubted[i] = verdict.doubted[i];
      m_said.sources[i] = {verdict.sources[i].source,
                           "task " + printable(task.text()) + ": " + verdict.sources[i].text};
    }
  }
}

LivenessVerdict WorkerWitness::verdict() const {
  LivenessVerdict verdict = m_said;
  conclude(verdict);
  return verdict;
}

LivenessVerdict judge_worker(TaskStore& store, const std::string& name, const JudgeContext& context,
                             std::span<TaskFacts* const> tasks) {
  WorkerWitness witness{name, read_worker(store, name).facts, context};
  for (const TaskFacts* facts : tasks) {
    if (facts->task.worker == name && facts->task.task_class == TaskClass::active) {
      witness.hear(facts->task.key, judge_liveness(*facts, context));
    }
  }
  return witness.verdict();
}

std::string liveness_words(const LivenessVerdict& verdict, Liveness wanted) {
  std::vector<std::string> words;
  for (std::size_t i = 0; i < verdict.says.size(); ++i) {
    if (verdict.says[i] == wanted) {
      words.push_back(verdict.sources[i].source + ": " + verdict.sources[i].text);
    }
  }
  return join(words, "; ");
}

}  // namespace taskctl
