#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/lister.hpp"

namespace taskctl {

/// Tasks by age, in buckets that never change, so that two runs can be compared.
struct AgeHistogram {
  /// Upper bounds, excluded; the last bucket has none.
  static constexpr std::array<std::chrono::minutes, 7> k_bounds{
      std::chrono::minutes{1}, std::chrono::minutes{5}, std::chrono::minutes{15}, std::chrono::hours{1},
      std::chrono::hours{6},   std::chrono::hours{24},  std::chrono::hours{168}};
  std::array<std::int64_t, k_bounds.size() + 1> counts{};
  std::int64_t future = 0;   ///< begin more than `settle` after now
  std::int64_t unknown = 0;  ///< nothing readable says since when
  std::int64_t total = 0;
};

/// Counts per name, nullopt standing for "none". Names beyond k_names are counted together: memory stays flat even
/// where every task has a kind of its own.
struct Tally {
  static constexpr std::size_t k_names = 10'000;
  std::map<std::optional<std::string>, std::int64_t> counts;
  std::int64_t others = 0;
  void add(const std::optional<std::string>& name);
};

struct OldestTask {
  TaskKey key;
  std::optional<std::string> kind, worker;
  Instant since{};
};

/// Tasks of one class by how long they have been in it.
struct ClassAges {
  AgeHistogram ages;
  std::optional<OldestTask> oldest;  ///< among those whose age is known and not in the future

  void add(const Task& task, const std::optional<Instant>& since, Instant now, Duration settle);
};

/// Everything in figures, of one snapshot.
struct Stats {
  Instant now{};
  std::vector<StatusCount> statuses;
  ClassAges active, queued;
  ListSummary findings;  ///< as list_stuck() counts them
  std::map<Rule, std::int64_t> stuck_by_rule;
  Tally stuck_by_kind, stuck_by_worker;
  std::vector<std::string> warnings;
};

struct StatsRequest {
  Policy policy;
  std::optional<Instant> now;  ///< --now
};

/// Counts in one read transaction, memory flat. Whatever cannot be read is an error: a count is never a zero for lack
/// of an answer. Times are decoded here and not in the database, where columns that mix encodings cannot be compared.
Stats collect_stats(TaskStore& store, const StatsRequest& request);

}  // namespace taskctl
