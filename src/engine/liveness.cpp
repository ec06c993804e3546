#include <algorithm>
#include <vector>

#include "base/duration.hpp"
#include "base/text.hpp"
#include "engine/judge.hpp"
#include "engine/task_age.hpp"

namespace taskctl {

namespace {

/// What one source says: unknown stands for "nothing".
struct SourceVerdict {
  Liveness liveness = Liveness::unknown;
  std::string text;
};

bool is_active(const Task& task) {
  return task.task_class == TaskClass::active;
}

/// A beat at most `timeout` old is alive, a missing one is the oldest there can be, an unreadable one says nothing.
SourceVerdict judge_beat(const std::string& column, const TimeFact& beat, Duration timeout, Instant now) {
  if (beat.absent()) {
    return {Liveness::dead, column + " is not set"};
  }
  if (beat.unreadable()) {
    return {Liveness::unknown, column + " cannot be read ('" + printable(beat.raw) + "')"};
  }
  const std::string text = column + " " + distance(beat.at, now);
  if (now - beat.at <= timeout) {
    return {Liveness::alive, text};
  }
  return {Liveness::dead, text + ", more than " + format_duration(timeout)};
}

/// The grace after the end of a lease still counts as alive: the renewal may be on its way.
SourceVerdict judge_lease(const LivenessSource& source, const TaskFacts& facts, const JudgeContext& context) {
  const std::string column = source_name(context.profile.times.lease, "lease");
  const TimeFact& lease = facts.task.times.lease;
  if (lease.absent()) {
    return {Liveness::unknown, column + " is not set"};
  }
  if (lease.unreadable()) {
    return {Liveness::unknown, column + " cannot be read ('" + printable(lease.raw) + "')"};
  }
  const bool dead = context.now - lease.at > source.timeout;
  const bool over = lease.at < context.now;
  const Liveness before = source.alive_before_end ? Liveness::alive : Liveness::unknown;
  return {dead ? Liveness::dead : before, column + (over ? " ended " : " ends ") + distance(lease.at, context.now)};
}

SourceVerdict judge_heartbeat(const LivenessSource& source, const TaskFacts& facts, const JudgeContext& context) {
  const std::string column = source_name(context.profile.times.heartbeat, "heartbeat");
  const TimeFact& beat = facts.task.times.heartbeat;
  if (beat.absent() && !is_active(facts.task)) {
    return {Liveness::unknown, column + " is not set, and the task is not active"};
  }
  return judge_beat(column, beat, source.timeout, context.now);
}

SourceVerdict judge_worker(const LivenessSource& source, const LivenessFact& fact, const TaskFacts& facts,
                           Instant now) {
  if (!facts.task.worker || facts.task.worker->empty()) {
    return {Liveness::unknown, "no worker is assigned"};
  }
  const std::string worker = "worker " + printable(*facts.task.worker);
  if (!fact.row_found) {
    const bool dead = source.missing_is_dead;
    return {dead ? Liveness::dead : Liveness::unknown, worker + " has no row in " + source.table};
  }
  SourceVerdict verdict = judge_beat(source.heartbeat, fact.heartbeat, source.timeout, now);
  verdict.text = worker + ": " + verdict.text;
  return verdict;
}

SourceVerdict judge_sql(const LivenessFact& fact) {
  if (fact.verdict == "alive") {
    return {Liveness::alive, "the profile's query says alive"};
  }
  if (fact.verdict == "dead") {
    return {Liveness::dead, "the profile's query says dead"};
  }
  return {Liveness::unknown, "the profile's query says nothing"};
}

/// Whoever is named is alive. Who is not may be at work elsewhere: that says nothing.
SourceVerdict judge_named(const AliveList& list, const Task& task) {
  if (!list.problem.empty()) {
    return {Liveness::unknown, "who is alive is unknown: " + list.problem};
  }
  if (task.worker && !task.worker->empty() && list.names.contains(*task.worker)) {
    return {Liveness::alive, "worker " + printable(*task.worker) + " is named"};
  }
  if (!task.key.parts.empty() && list.names.contains(task.key.text())) {
    return {Liveness::alive, "task " + printable(task.key.text()) + " is named"};
  }
  return {Liveness::unknown, "names neither the worker nor the task"};
}

SourceVerdict judge_source(std::size_t index, const TaskFacts& facts, const JudgeContext& context) {
  const LivenessSource& source = context.profile.liveness[index];
  const LivenessFact fact = index < facts.liveness.size() ? facts.liveness[index] : LivenessFact{};
  switch (source.kind) {
    case LivenessSource::Kind::lease:
      return judge_lease(source, facts, context);
    case LivenessSource::Kind::heartbeat:
      return judge_heartbeat(source, facts, context);
    case LivenessSource::Kind::table:
      return judge_worker(source, fact, facts, context.now);
    case LivenessSource::Kind::sql:
      break;
  }
  return judge_sql(fact);
}

/// May a source that says dead be wrong itself?
bool is_suspect(std::size_t index, const TaskFacts& facts, const JudgeContext& context) {
  if (context.standby_lags) {
    return true;
  }
  if (context.profile.liveness[index].kind != LivenessSource::Kind::table || index >= context.workers.size()) {
    return false;
  }
  const bool found = index < facts.liveness.size() && facts.liveness[index].row_found;
  const WorkerCensus& census = context.workers[index];
  return found ? census.suspect() : census.missing_is_suspect();
}

std::string name_of(const LivenessSource& source) {
  if (!source.name.empty()) {
    return source.name;
  }
  return source.table.empty() ? "liveness" : source.table;
}

}  // namespace

void conclude(LivenessVerdict& verdict) {
  bool alive = false;
  bool dead = false;
  bool trusted_death = false;
  for (std::size_t i = 0; i < verdict.says.size(); ++i) {
    const bool says_dead = verdict.says[i] == Liveness::dead;
    alive = alive || verdict.says[i] == Liveness::alive;
    dead = dead || says_dead;
    trusted_death = trusted_death || (says_dead && !verdict.doubted.at(i));
  }
  verdict.liveness = alive ? Liveness::alive : dead && !verdict.outside_unknown ? Liveness::dead : Liveness::unknown;
  verdict.suspect = verdict.liveness == Liveness::dead && !trusted_death;
  verdict.presumed = verdict.suspect && verdict.called_dead;
}

LivenessVerdict judge_liveness(const TaskFacts& facts, const JudgeContext& context) {
  LivenessVerdict verdict;
  for (std::size_t i = 0; i < context.profile.liveness.size(); ++i) {
    const SourceVerdict said = judge_source(i, facts, context);
    const bool suspect = said.liveness == Liveness::dead && is_suspect(i, facts, context);
    verdict.says.push_back(said.liveness);
    verdict.doubted.push_back(suspect);
    verdict.sources.push_back(
        {name_of(context.profile.liveness[i]), said.text + (suspect ? " (a suspect source)" : "")});
  }
  if (context.policy.alive) {
    const SourceVerdict said = judge_named(*context.policy.alive, facts.task);
    verdict.says.push_back(said.liveness);
    verdict.doubted.push_back(false);
    verdict.sources.push_back({"--alive-from", said.text});
    verdict.outside_unknown = !context.policy.alive->problem.empty();
  }
  if (context.policy.presumed_dead && facts.task.worker == context.policy.presumed_dead) {
    verdict.says.push_back(Liveness::dead);
    verdict.doubted.push_back(true);
    verdict.sources.push_back({"--force", "worker " + printable(*facts.task.worker) + " is called dead by --force"});
    verdict.called_dead = true;
  }
  conclude(verdict);
  return verdict;
}

std::string suspicion_of(Rule rule, const JudgeContext& context) {
  if (rule == Rule::never_assigned) {
    return "the source itself is suspect: '" + context.profile.worker.table + "' has no rows, or hides some";
  }
  if (context.standby_lags) {
    return "this is a standby that lags behind, so what it says of workers is suspect";
  }
  for (std::size_t i = 0; i < context.workers.size(); ++i) {
    const LivenessSource& source = context.profile.liveness.at(i);
    if (context.workers[i].rows_hidden) {
      return "row-level security hides rows of the source, so a missing worker means little";
    }
    if (source.kind == LivenessSource::Kind::table && context.workers[i].known == 0) {
      return "the source itself is suspect: '" + source.table + "' has no rows";
    }
  }
  return "the source itself is suspect: not one of its workers is alive";
}

}  // namespace taskctl
