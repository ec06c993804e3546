#include "commands/list-workers/list_workers_view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "base/duration.hpp"
#include "base/text.hpp"
#include "base/timestamp.hpp"
#include "commands/shared/plan_view.hpp"
#include "view/json.hpp"
#include "view/table_writer.hpp"

namespace taskctl {

namespace {

constexpr std::size_t k_ids_shown = 3;
static_assert(k_ids_shown <= WorkerInfo::k_first_ids);

using Workers = std::vector<const WorkerInfo*>;

bool is_shown(const WorkerInfo& worker, const WorkersView& view) {
  return view.states.empty() || std::ranges::find(view.states, worker.liveness.liveness) != view.states.end();
}

int rank_of(Liveness state) {
  return state == Liveness::dead ? 0 : state == Liveness::unknown ? 1 : 2;
}

std::int64_t wrong_accounts(const WorkerInfo& worker) {
  return std::ranges::count_if(worker.accounts, [](const WorkerAccount& account) { return !account.right; });
}

/// What is to come first is smallest; an unknown time comes last: it is not old.
std::tuple<std::int64_t, std::int64_t> sort_key(const WorkerInfo& worker, const std::string& field) {
  if (field == "state") {
    return {rank_of(worker.liveness.liveness), -worker.held};
  }
  if (field == "heartbeat") {
    return {worker.heartbeat.value_or(Instant::max()).time_since_epoch().count(), 0};
  }
  if (field == "held") {
    return {-worker.held, 0};
  }
  if (field == "stuck") {
    return {-worker.stuck, -worker.held};
  }
  if (field == "age") {
    return {worker.oldest.value_or(Instant::max()).time_since_epoch().count(), 0};
  }
  return {0, 0};
}

/// In the wanted order, names settling ties.
Workers shown_workers(const WorkerSurvey& survey, const WorkersView& view) {
  Workers workers;
  for (const auto& [name, worker] : survey.workers) {
    if (is_shown(worker, view)) {
      workers.push_back(&worker);
    }
  }
  std::ranges::stable_sort(workers, {}, [&](const WorkerInfo* worker) { return sort_key(*worker, view.sort); });
  if (view.limit && workers.size() > *view.limit) {
    workers.resize(*view.limit);
  }
  return workers;
}

std::string age_text(const std::optional<Instant>& at, Instant now) {
  return at ? format_age(now - *at) : "-";
}

std::string heartbeat_text(const WorkerInfo& worker, Instant now) {
  return worker.heartbeat ? format_age(now - *worker.heartbeat) : worker.registered ? "-" : "no row";
}

std::string state_text(const WorkerInfo& worker) {
  return std::string{to_string(worker.liveness.liveness)} + (worker.liveness.suspect ? "?" : "");
}

std::string ids_text(const WorkerInfo& worker) {
  const std::size_t shown = std::min(worker.first_ids.size(), k_ids_shown);
  std::string text =
      join({worker.first_ids.begin(), worker.first_ids.begin() + static_cast<std::ptrdiff_t>(shown)}, ", ");
  if (const std::int64_t more = worker.held - static_cast<std::int64_t>(shown); more > 0) {
    text += fmt::format(" +{}", more);
  }
  return text.empty() ? "-" : text;
}

std::string accounts_text(const WorkerInfo& worker) {
  if (worker.accounts.empty()) {
    return "-";
  }
  const std::int64_t wrong = wrong_accounts(worker);
  return wrong == 0 ? "right" : fmt::format("{} of {} wrong", wrong, worker.accounts.size());
}

Style style_of(const WorkerInfo& worker) {
  if (worker.liveness.liveness == Liveness::dead) {
    return worker.held > 0 ? Style::red : Style::dim;
  }
  return worker.liveness.liveness == Liveness::unknown && worker.held > 0 ? Style::yellow : Style::plain;
}

std::string summary_text(const WorkerSurvey& survey, const WorkerSummary& summary) {
  std::string text = fmt::format("{}: {} alive, {} dead, {} unknown; {} held", counted(summary.workers, "worker"),
                                 summary.alive, summary.dead, summary.unknown, counted(summary.held, "task"));
  if (summary.held_by_dead > 0) {
    text += fmt::format(", {} of them by dead workers", summary.held_by_dead);
  }
  if (survey.unassigned > 0) {
    text += fmt::format("; {} without a worker", counted(survey.unassigned, "active task"));
  }
  if (summary.wrong_accounts > 0) {
    text += fmt::format("; {} wrong", counted(summary.wrong_accounts, "account"));
  }
  return text;
}

void print_accounts(Streams& streams, const Workers& workers) {
  constexpr std::size_t k_shown = 40;
  TableWriter table{{{.title = "WORKER", .shrinkable = true},
                     {.title = "ACCOUNT"},
                     {.title = "ALLOCATED", .right = true},
                     {.title = "REAL", .right = true}}};
  std::size_t wrong = 0;
  for (const WorkerInfo* worker : workers) {
    for (const WorkerAccount& account : worker->accounts) {
      if (!account.right && ++wrong <= k_shown) {
        table.row({worker->name, account.table + "." + account.column, to_display(account.allocated),
                   to_display(account.real)});
      }
    }
  }
  if (wrong > 0) {
    streams.line("");
    table.write(streams);
  }
  if (wrong > k_shown) {
    streams.line(fmt::format("… and {} more wrong accounts (--output json lists all)", wrong - k_shown));
  }
}

void print_table(Streams& streams, const WorkerSurvey& survey, const WorkersView& view, const Workers& workers) {
  TableWriter table{{{.title = "WORKER"},
                     {.title = "STATE"},
                     {.title = "HEARTBEAT", .right = true},
                     {.title = "HELD", .right = true},
                     {.title = "STUCK", .right = true},
                     {.title = "OLDEST", .right = true},
                     {.title = "ACCOUNTS", .optional = true},
                     {.title = "TASKS", .shrinkable = true, .fold = true}}};
  for (const WorkerInfo* worker : workers) {
    table.row({worker->name, state_text(*worker), heartbeat_text(*worker, survey.now), fmt::to_string(worker->held),
               fmt::to_string(worker->stuck), age_text(worker->oldest, survey.now), accounts_text(*worker),
               ids_text(*worker)},
              style_of(*worker));
  }
  table.write(streams);
  print_accounts(streams, workers);
  const WorkerSummary summary = summarise(survey, view);
  streams.line(summary_text(survey, summary));
  if (summary.held_by_dead > 0) {
    streams.talk("what a dead worker holds is ended by: taskctl release-worker NAME --dry-run");
  }
}

Json seconds_json(const std::optional<Instant>& at, Instant now) {
  return at ? Json(std::chrono::floor<std::chrono::seconds>(now - *at).count()) : Json(nullptr);
}

Json time_json(const std::optional<Instant>& at) {
  return at ? Json(format_instant(*at)) : Json(nullptr);
}

Json worker_json(const WorkerSurvey& survey, const WorkerInfo& worker) {
  Json sources = Json::array();
  for (std::size_t i = 0; i < worker.liveness.says.size(); ++i) {
    sources.push_back({{"source", worker.liveness.sources[i].source},
                       {"says", to_string(worker.liveness.says[i])},
                       {"text", worker.liveness.sources[i].text}});
  }
  Json accounts = Json::array();
  for (const WorkerAccount& account : worker.accounts) {
    accounts.push_back({{"table", account.table},
                        {"column", account.column},
                        {"allocated", to_json(account.allocated)},
                        {"real", to_json(account.real)},
                        {"right", account.right}});
  }
  Json tasks = Json::array();
  survey.for_each_id(worker, [&tasks](const std::string& id) { tasks.push_back(id); });
  return {{"worker", worker.name},
          {"state", to_string(worker.liveness.liveness)},
          {"suspect", worker.liveness.suspect},
          {"registered", worker.registered},
          {"heartbeat", time_json(worker.heartbeat)},
          {"heartbeat_age_seconds", seconds_json(worker.heartbeat, survey.now)},
          {"sources", std::move(sources)},
          {"held", worker.held},
          {"stuck", worker.stuck},
          {"oldest", time_json(worker.oldest)},
          {"oldest_age_seconds", seconds_json(worker.oldest, survey.now)},
          {"tasks", std::move(tasks)},
          {"accounts", std::move(accounts)}};
}

Json summary_json(const WorkerSurvey& survey, const WorkerSummary& summary) {
  return {{"workers", summary.workers},
          {"alive", summary.alive},
          {"dead", summary.dead},
          {"unknown", summary.unknown},
          {"held", summary.held},
          {"held_by_dead", summary.held_by_dead},
          {"stuck", summary.stuck},
          {"unassigned", survey.unassigned},
          {"wrong_accounts", summary.wrong_accounts}};
}

void print_json(Streams& streams, const WorkerSurvey& survey, const WorkersView& view, const Workers& workers) {
  const Json head{{"schema", "taskctl.list-workers/1"}, {"target", view.target}, {"now", format_instant(survey.now)}};
  std::string text = dump(head);
  text.pop_back();
  streams.out(text + ",\n\"workers\":[");
  bool first = true;
  for (const WorkerInfo* worker : workers) {
    streams.out((first ? "\n" : ",\n") + dump(worker_json(survey, *worker)));
    first = false;
  }
  streams.out(first ? "],\n" : "\n],\n");
  streams.line("\"warnings\":" + dump(Json(survey.warnings)) + ",");
  streams.line("\"summary\":" + dump(summary_json(survey, summarise(survey, view))) + "}");
}

void print_jsonl(Streams& streams, const WorkerSurvey& survey, const WorkersView& view, const Workers& workers) {
  for (const WorkerInfo* worker : workers) {
    Json json{{"type", "worker"}};
    json.update(worker_json(survey, *worker));
    streams.line(dump(json));
  }
  Json summary{{"type", "summary"}};
  summary.update(summary_json(survey, summarise(survey, view)));
  streams.line(dump(summary));
}

void print_cells(Streams& streams, const WorkerSurvey& survey, const WorkersView& view, const Workers& workers) {
  const auto line = view.format == OutputFormat::csv ? csv_line : tsv_line;
  const auto seconds = [&](const std::optional<Instant>& at) {
    return at ? fmt::format("{:.3f}", std::chrono::duration<double>{survey.now - *at}.count()) : std::string{};
  };
  streams.out(line({"worker", "state", "suspect", "heartbeat", "heartbeat_age_seconds", "held", "stuck",
                    "oldest_age_seconds", "accounts", "wrong_accounts"}));
  for (const WorkerInfo* worker : workers) {
    streams.out(line({worker->name, std::string{to_string(worker->liveness.liveness)},
                      worker->liveness.suspect ? "true" : "false",
                      worker->heartbeat ? format_instant(*worker->heartbeat) : "", seconds(worker->heartbeat),
                      fmt::to_string(worker->held), fmt::to_string(worker->stuck), seconds(worker->oldest),
                      fmt::to_string(worker->accounts.size()), fmt::to_string(wrong_accounts(*worker))}));
  }
}

}  // namespace

WorkerSummary summarise(const WorkerSurvey& survey, const WorkersView& view) {
  WorkerSummary summary;
  for (const auto& [name, worker] : survey.workers) {
    if (!is_shown(worker, view)) {
      continue;
    }
    const Liveness state = worker.liveness.liveness;
    ++summary.workers;
    ++(state == Liveness::alive ? summary.alive : state == Liveness::dead ? summary.dead : summary.unknown);
    summary.held += worker.held;
    summary.held_by_dead += state == Liveness::dead ? worker.held : 0;
    summary.stuck += worker.stuck;
    summary.wrong_accounts += wrong_accounts(worker);
  }
  return summary;
}

void print_workers(Streams& streams, const WorkerSurvey& survey, const WorkersView& view) {
  for (const std::string& warning : survey.warnings) {
    streams.warn(warning);
  }
  const Workers workers = shown_workers(survey, view);
  switch (view.format) {
    case OutputFormat::json:
      print_json(streams, survey, view, workers);
      break;
    case OutputFormat::jsonl:
      print_jsonl(streams, survey, view, workers);
      break;
    case OutputFormat::csv:
    case OutputFormat::tsv:
      print_cells(streams, survey, view, workers);
      break;
    case OutputFormat::ids:
      for (const WorkerInfo* worker : workers) {
        streams.line(worker->name);
      }
      break;
    case OutputFormat::table:
      print_table(streams, survey, view, workers);
      break;
  }
}

}  // namespace taskctl
