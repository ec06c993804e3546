#include "commands/stats/stats_view.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/duration.hpp"
#include "base/text.hpp"
#include "base/timestamp.hpp"
#include "commands/shared/plan_view.hpp"
#include "view/finding_table.hpp"
#include "view/histogram.hpp"
#include "view/json.hpp"
#include "view/table_writer.hpp"

namespace taskctl {

namespace {

using Named = std::pair<std::optional<std::string>, std::int64_t>;

constexpr std::string_view k_unmapped = "unmapped";

std::string class_name(const std::optional<TaskClass>& task_class) {
  return task_class ? std::string{to_string(*task_class)} : std::string{k_unmapped};
}

/// Largest first, names settling ties.
std::vector<Named> ranked(const Tally& tally) {
  std::vector<Named> all{tally.counts.begin(), tally.counts.end()};
  std::ranges::stable_sort(all, std::ranges::greater{}, &Named::second);
  return all;
}

std::map<std::string, std::int64_t> class_counts(const Stats& stats) {
  std::map<std::string, std::int64_t> counts;
  for (const StatusCount& entry : stats.statuses) {
    counts[class_name(entry.task_class)] += entry.count;
  }
  return counts;
}

std::int64_t task_count(const Stats& stats) {
  std::int64_t count = 0;
  for (const StatusCount& entry : stats.statuses) {
    count += entry.count;
  }
  return count;
}

void print_statuses(Streams& streams, const Stats& stats) {
  TableWriter table{{{.title = "STATUS", .shrinkable = true}, {.title = "CLASS"}, {.title = "TASKS", .right = true}}};
  for (const StatusCount& entry : stats.statuses) {
    table.row({entry.status.value_or("NULL"), class_name(entry.task_class), fmt::to_string(entry.count)},
              entry.task_class ? Style::plain : Style::yellow);
  }
  table.write(streams);
  std::string text = counted(task_count(stats), "task");
  const std::map<std::string, std::int64_t> counts = class_counts(stats);
  std::vector<std::string> parts;
  for (const TaskClass task_class : k_task_classes) {
    if (const auto found = counts.find(class_name(task_class)); found != counts.end()) {
      parts.push_back(fmt::format("{} {}", found->second, found->first));
    }
  }
  if (const auto found = counts.find(std::string{k_unmapped}); found != counts.end()) {
    parts.push_back(fmt::format("{} whose status the profile does not map", found->second));
  }
  streams.line(text + (parts.empty() ? "" : ": " + join(parts, ", ")));
}

std::string bucket_label(std::size_t index) {
  const auto& bounds = AgeHistogram::k_bounds;
  if (index == 0) {
    return "under " + format_duration(bounds.front());
  }
  if (index == bounds.size()) {
    return format_duration(bounds.back()) + " and more";
  }
  return format_duration(bounds.at(index - 1)) + " to " + format_duration(bounds.at(index));
}

void print_ages(Streams& streams, const std::string& title, const ClassAges& entry, Instant now) {
  streams.line("");
  std::string heading = fmt::format("{} {}", title, entry.ages.total);
  if (entry.oldest) {
    const OldestTask& oldest = *entry.oldest;
    heading += fmt::format("; oldest {}, {}", printable(oldest.key.text()), format_age(now - oldest.since));
    heading += oldest.kind ? ", " + printable(*oldest.kind) : "";
    heading += oldest.worker ? ", on " + printable(*oldest.worker) : "";
  }
  streams.line(styled(heading, Style::bold, streams.options().colour));
  if (entry.ages.total == 0) {
    return;
  }
  std::vector<Bar> bars;
  for (std::size_t i = 0; i < entry.ages.counts.size(); ++i) {
    bars.push_back({bucket_label(i), entry.ages.counts.at(i)});
  }
  if (entry.ages.future > 0) {
    bars.push_back({"in the future", entry.ages.future});
  }
  if (entry.ages.unknown > 0) {
    bars.push_back({"age unknown", entry.ages.unknown});
  }
  print_bars(streams, bars);
}

void add_tally(TableWriter& table, const std::string& by, const Tally& tally) {
  constexpr std::size_t k_shown = 10;
  const std::vector<Named> names = ranked(tally);
  std::int64_t rest = tally.others;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i < k_shown) {
      table.row({by, names[i].first.value_or("-"), fmt::to_string(names[i].second)});
    } else {
      rest += names[i].second;
    }
  }
  if (rest > 0) {
    table.row({by, "(others)", fmt::to_string(rest)});
  }
}

void print_stuck(Streams& streams, const Stats& stats) {
  streams.line("");
  TableWriter table{{{.title = "BY"}, {.title = "NAME", .shrinkable = true}, {.title = "STUCK", .right = true}}};
  for (const auto& [rule, count] : stats.stuck_by_rule) {
    table.row({"rule", std::string{to_string(rule)}, fmt::to_string(count)});
  }
  add_tally(table, "kind", stats.stuck_by_kind);
  add_tally(table, "worker", stats.stuck_by_worker);
  table.write(streams);
  streams.line(summary_line(stats.findings));
}

Json ages_json(const ClassAges& entry, Instant now) {
  const auto seconds = [](std::chrono::minutes bound) { return std::chrono::seconds{bound}.count(); };
  const auto& bounds = AgeHistogram::k_bounds;
  Json buckets = Json::array();
  for (std::size_t i = 0; i < entry.ages.counts.size(); ++i) {
    buckets.push_back({{"from_seconds", i == 0 ? 0 : seconds(bounds.at(i - 1))},
                       {"to_seconds", i == bounds.size() ? Json(nullptr) : Json(seconds(bounds.at(i)))},
                       {"count", entry.ages.counts.at(i)}});
  }
  Json oldest;
  if (entry.oldest) {
    const auto text = [](const std::optional<std::string>& value) { return value ? Json(*value) : Json(nullptr); };
    oldest = {{"id", key_json(entry.oldest->key)},
              {"kind", text(entry.oldest->kind)},
              {"worker", text(entry.oldest->worker)},
              {"since", format_instant(entry.oldest->since)},
              {"age_seconds", std::chrono::floor<std::chrono::seconds>(now - entry.oldest->since).count()}};
  }
  return {{"count", entry.ages.total},
          {"buckets", std::move(buckets)},
          {"future", entry.ages.future},
          {"unknown", entry.ages.unknown},
          {"oldest", std::move(oldest)}};
}

Json tally_json(const Tally& tally) {
  Json names = Json::array();
  for (const auto& [name, count] : ranked(tally)) {
    names.push_back({{"name", name ? Json(*name) : Json(nullptr)}, {"count", count}});
  }
  return {{"names", std::move(names)}, {"others", tally.others}};
}

Json stats_json(const Stats& stats, const StatsView& view) {
  Json statuses = Json::array();
  for (const StatusCount& entry : stats.statuses) {
    statuses.push_back({{"status", entry.status ? Json(*entry.status) : Json(nullptr)},
                        {"class", entry.task_class ? Json(to_string(*entry.task_class)) : Json(nullptr)},
                        {"count", entry.count}});
  }
  Json rules = Json::object();
  for (const auto& [rule, count] : stats.stuck_by_rule) {
    rules[std::string{to_string(rule)}] = count;
  }
  return {{"schema", "taskctl.stats/1"},
          {"target", view.target},
          {"profile", view.profile},
          {"now", format_instant(stats.now)},
          {"max_age_seconds", std::chrono::duration_cast<std::chrono::seconds>(view.max_age).count()},
          {"tasks", task_count(stats)},
          {"statuses", std::move(statuses)},
          {"classes", class_counts(stats)},
          {"active", ages_json(stats.active, stats.now)},
          {"queued", ages_json(stats.queued, stats.now)},
          {"stuck",
           {{"count", stats.findings.stuck},
            {"by_rule", std::move(rules)},
            {"by_kind", tally_json(stats.stuck_by_kind)},
            {"by_worker", tally_json(stats.stuck_by_worker)}}},
          {"summary", to_json(stats.findings)},
          {"warnings", stats.warnings}};
}

}  // namespace

void print_stats(Streams& streams, const Stats& stats, const StatsView& view) {
  for (const std::string& warning : stats.warnings) {
    streams.warn(warning);
  }
  if (view.format == OutputFormat::json) {
    streams.line(dump(stats_json(stats, view)));
    return;
  }
  print_statuses(streams, stats);
  print_ages(streams, "active", stats.active, stats.now);
  print_ages(streams, "queued", stats.queued, stats.now);
  print_stuck(streams, stats);
  streams.talk(fmt::format("max age {}; as of {}", format_duration(view.max_age), format_instant(stats.now)));
}

}  // namespace taskctl
